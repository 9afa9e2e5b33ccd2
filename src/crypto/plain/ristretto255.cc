#include "crypto/plain/ristretto255.h"

#include <cstring>

#include "base/wipe_objects.h"
#include "crypto/plain/field25519.h"

namespace ap::crypto::plain {
namespace {

// RFC 9496, 4.1: d of the curve -x^2 + y^2 = 1 + d x^2 y^2, and 1 / sqrt(-1 - d).
constexpr Field25519 kD{
    {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
constexpr Field25519 kTwiceD{
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
constexpr Field25519 kInverseRootOfAMinusD{
    {0x0fdaa805d40ea, 0x2eb482e57d339, 0x007610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff}};

/// (x / z, y / z) with t = x y / z: extended coordinates (RFC 8032, 5.1.4).
struct Point {
  Field25519 x, y, z, t;
};
constexpr Point kIdentity{kFieldZero, kFieldOne, kFieldOne, kFieldZero};
// The generator of edwards25519 (RFC 8032, 5.1).
constexpr Point kGenerator{
    {{0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5}},
    {{0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666}},
    kFieldOne,
    {{0x68ab3a5b7dda3, 0x00eea2a5eadbb, 0x2af8df483c27e, 0x332b375274732, 0x67875f0fd78b7}}};

// RFC 8032, 5.1.4; complete: equal points and the identity are no exceptions.
Point add(const Point& p, const Point& q) {
  const Field25519 a = (p.y - p.x) * (q.y - q.x), b = (p.y + p.x) * (q.y + q.x);
  const Field25519 c = p.t * kTwiceD * q.t, zz = p.z * q.z, d = zz + zz;
  const Field25519 e = b - a, f = d - c, g = d + c, h = b + a;
  return {e * f, g * h, f * g, e * h};
}

Point twice(const Point& p) {
  const Field25519 a = square(p.x), b = square(p.y), zz = square(p.z);
  const Field25519 h = a + b, e = h - square(p.x + p.y), g = a - b, f = zz + zz + g;
  return {e * f, g * h, f * g, e * h};
}

Point negative(const Point& p) { return {-p.x, p.y, p.z, -p.t}; }

Point select(Mask mask, const Point& p, const Point& q) {
  return {select(mask, p.x, q.x), select(mask, p.y, q.y), select(mask, p.z, q.z), select(mask, p.t, q.t)};
}

/// All ones if a == b, for numbers below 2^63.
Mask equal(std::uint64_t a, std::uint64_t b) { return 0 - (((a ^ b) - 1) >> 63); }

/// The low 255 bits of the scalar times p, four bits at a time; every multiple in the table is read for each.
Point multiply(const Scalar& scalar, const Point& p) {
  constexpr int kWindow = 4;
  Point multiples[1 << kWindow];
  multiples[0] = kIdentity;
  for (int i = 1; i < 1 << kWindow; ++i) multiples[i] = add(multiples[i - 1], p);
  Point sum = kIdentity;
  for (int at = 63; at >= 0; --at) {
    for (int i = 0; i < kWindow; ++i) sum = twice(sum);
    const unsigned byte = at == 63 ? scalar[31] & 0x7fU : scalar[static_cast<std::size_t>(at / 2)];
    const unsigned digit = (byte >> (at % 2 * kWindow)) & 0xf;
    Point term = kIdentity;
    for (unsigned i = 1; i < 1 << kWindow; ++i) term = select(equal(i, digit), multiples[i], term);
    sum = add(sum, term);
  }
  return sum;
}

/// RFC 9496, 4.3.1.
struct Decoded {
  Mask valid;
  Point point;
};
Decoded decode(const Element& element) {
  const Field25519 s = field_from_bytes(element);
  const FieldBytes canonical = field_to_bytes(s);
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < element.size(); ++i) different |= canonical[i] ^ element[i];
  const Field25519 ss = square(s), u1 = kFieldOne - ss, u2 = kFieldOne + ss, u2_squared = square(u2);
  const Field25519 v = -(kD * square(u1)) - u2_squared;
  const auto [was_square, inverse_root] = sqrt_ratio(kFieldOne, v * u2_squared);
  const Field25519 denominator_x = inverse_root * u2, denominator_y = inverse_root * denominator_x * v;
  const Field25519 x = absolute((s + s) * denominator_x), y = u1 * denominator_y, t = x * y;
  const Mask valid =
      equal(different, 0) & ~is_negative(s) & was_square & ~is_negative(t) & ~equal(y, kFieldZero);
  return {valid, {x, y, kFieldOne, t}};
}

/// RFC 9496, 4.3.2.
Element encode(const Point& p) {
  const Field25519 u1 = (p.z + p.y) * (p.z - p.y), u2 = p.x * p.y;
  const Field25519 inverse_root = sqrt_ratio(kFieldOne, u1 * square(u2)).root;
  const Field25519 denominator_1 = inverse_root * u1, denominator_2 = inverse_root * u2;
  const Field25519 z_inverse = denominator_1 * denominator_2 * p.t;
  const Mask rotate = is_negative(p.t * z_inverse);
  const Field25519 x = select(rotate, p.y * kSqrtMinusOne, p.x);
  Field25519 y = select(rotate, p.x * kSqrtMinusOne, p.y);
  const Field25519 inverse = select(rotate, denominator_1 * kInverseRootOfAMinusD, denominator_2);
  y = select(is_negative(x * z_inverse), -y, y);
  return field_to_bytes(absolute(inverse * (p.z - y)));
}

/// Encodes; all ones unless the point is the identity, whose encoding is zero.
Mask encode_other_than_identity(const Point& p, Element& out) {
  out = encode(p);
  std::uint64_t any = 0;
  for (const std::uint8_t byte : out) any |= byte;
  return ~equal(any, 0);
}

// The order of the group, 2^252 + 27742317777372353535851937790883648493.
constexpr std::uint64_t kOrder[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

}  // namespace

// Bit by bit from the highest: the remainder doubled, plus the bit, minus the order unless that is below
// zero.
Scalar reduce_scalar(const WideScalar& wide) {
  std::uint64_t rest[4] = {};
  for (int bit = 511; bit >= 0; --bit) {
    for (int i = 3; i > 0; --i) rest[i] = rest[i] << 1 | rest[i - 1] >> 63;
    rest[0] = rest[0] << 1 | ((wide[static_cast<std::size_t>(bit / 8)] >> (bit % 8)) & 1U);
    std::uint64_t less[4], borrow = 0;
    for (int i = 0; i < 4; ++i) {
      less[i] = rest[i] - kOrder[i] - borrow;
      borrow = ((~rest[i] & kOrder[i]) | (~(rest[i] ^ kOrder[i]) & less[i])) >> 63;
    }
    for (int i = 0; i < 4; ++i) rest[i] = less[i] ^ ((less[i] ^ rest[i]) & (0 - borrow));
  }
  Scalar scalar;
  std::memcpy(scalar.data(), rest, sizeof rest);
  wipe_objects(rest);
  return scalar;
}

bool multiply_base(const Scalar& scalar, Element& out) {
  return encode_other_than_identity(multiply(scalar, kGenerator), out) != 0;
}

bool multiply(const Scalar& scalar, const Element& element, Element& out) {
  const Decoded p = decode(element);
  return (encode_other_than_identity(multiply(scalar, p.point), out) & p.valid) != 0;
}

bool add(const Element& a, const Element& b, Element& out) {
  const Decoded p = decode(a), q = decode(b);
  out = encode(add(p.point, q.point));
  return (p.valid & q.valid) != 0;
}

bool subtract(const Element& a, const Element& b, Element& out) {
  const Decoded p = decode(a), q = decode(b);
  out = encode(add(p.point, negative(q.point)));
  return (p.valid & q.valid) != 0;
}

}  // namespace ap::crypto::plain

#include "crypto/plain/field25519.h"

#include <cstring>

namespace ap::crypto::plain {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kLimbBits = 51;
constexpr std::uint64_t kLimb = (std::uint64_t{1} << kLimbBits) - 1;
constexpr std::uint64_t kFold = 19;  // 2^255 = 19

/// Limbs below 2^54 to the range of Field25519.
Field25519 carried(Field25519 a) {
  for (int i = 0; i < 4; ++i) {
    a.limb[i + 1] += a.limb[i] >> kLimbBits;
    a.limb[i] &= kLimb;
  }
  a.limb[0] += kFold * (a.limb[4] >> kLimbBits);
  a.limb[4] &= kLimb;
  return a;
}

/// a^(2^count)
Field25519 squares(Field25519 a, int count) {
  while (count-- > 0) a = square(a);
  return a;
}

/// a^((p - 5) / 8) = a^(2^252 - 3). x_n = a^(2^n - 1), and x_(m + n) = x_m^(2^n) x_n.
Field25519 power_of_root(const Field25519& a) {
  const auto both = [](const Field25519& x_m, const Field25519& x_n, int n) { return squares(x_m, n) * x_n; };
  const Field25519 x2 = both(a, a, 1), x4 = both(x2, x2, 2), x5 = both(x4, a, 1);
  const Field25519 x10 = both(x5, x5, 5), x20 = both(x10, x10, 10), x40 = both(x20, x20, 20);
  const Field25519 x50 = both(x40, x10, 10), x100 = both(x50, x50, 50), x200 = both(x100, x100, 100);
  return squares(both(x200, x50, 50), 2) * a;
}

}  // namespace

Field25519 operator+(const Field25519& a, const Field25519& b) {
  Field25519 sum;
  for (int i = 0; i < 5; ++i) sum.limb[i] = a.limb[i] + b.limb[i];
  return carried(sum);
}

Field25519 operator-(const Field25519& a, const Field25519& b) {
  // Twice the modulus keeps every limb above zero.
  Field25519 difference;
  for (int i = 0; i < 5; ++i)
    difference.limb[i] = a.limb[i] + 2 * (i == 0 ? kLimb + 1 - kFold : kLimb) - b.limb[i];
  return carried(difference);
}

Field25519 operator*(const Field25519& a, const Field25519& b) {
  Wide sum[5] = {};  // each below 5 * 19 * 2^103
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 5; ++j) {
      sum[(i + j) % 5] += static_cast<Wide>(a.limb[i]) * (i + j < 5 ? b.limb[j] : kFold * b.limb[j]);
    }
  }
  Field25519 product;
  std::uint64_t carry = 0;
  for (int i = 0; i < 5; ++i) {
    sum[i] += carry;
    product.limb[i] = static_cast<std::uint64_t>(sum[i]) & kLimb;
    carry = static_cast<std::uint64_t>(sum[i] >> kLimbBits);
  }
  product.limb[0] += kFold * carry;
  product.limb[1] += product.limb[0] >> kLimbBits;
  product.limb[0] &= kLimb;
  return product;
}

Field25519 field_from_bytes(const FieldBytes& bytes) {
  // Limb i begins at bit 51 i: byte and bit of it.
  constexpr int kByte[5] = {0, 6, 12, 19, 24};
  constexpr int kShift[5] = {0, 3, 6, 1, 12};
  Field25519 a;
  for (int i = 0; i < 5; ++i) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + kByte[i], sizeof word);
    a.limb[i] = (word >> kShift[i]) & kLimb;
  }
  return a;
}

FieldBytes field_to_bytes(const Field25519& in) {
  Field25519 a = carried(in);
  // 1 if a >= p, as a + 19 then carries out of 255 bits.
  std::uint64_t carry = kFold;
  for (int i = 0; i < 5; ++i) carry = (a.limb[i] + carry) >> kLimbBits;
  a.limb[0] += kFold * carry;
  for (int i = 0; i < 4; ++i) {
    a.limb[i + 1] += a.limb[i] >> kLimbBits;
    a.limb[i] &= kLimb;
  }
  a.limb[4] &= kLimb;
  const std::uint64_t words[4] = {a.limb[0] | a.limb[1] << 51, a.limb[1] >> 13 | a.limb[2] << 38,
                                  a.limb[2] >> 26 | a.limb[3] << 25, a.limb[3] >> 39 | a.limb[4] << 12};
  FieldBytes bytes;
  std::memcpy(bytes.data(), words, sizeof words);
  return bytes;
}

Mask equal(const Field25519& a, const Field25519& b) {
  const FieldBytes bytes = field_to_bytes(a - b);
  std::uint64_t any = 0;
  for (const std::uint8_t byte : bytes) any |= byte;
  return 0 - ((any - 1) >> 63);
}

Mask is_negative(const Field25519& a) { return 0 - static_cast<std::uint64_t>(field_to_bytes(a)[0] & 1); }

Field25519 select(Mask mask, const Field25519& a, const Field25519& b) {
  Field25519 chosen;
  for (int i = 0; i < 5; ++i) chosen.limb[i] = b.limb[i] ^ ((a.limb[i] ^ b.limb[i]) & mask);
  return chosen;
}

Field25519 absolute(const Field25519& a) { return select(is_negative(a), -a, a); }

SquareRoot sqrt_ratio(const Field25519& u, const Field25519& v) {
  const Field25519 v3 = square(v) * v, v7 = square(v3) * v;
  const Field25519 r = u * v3 * power_of_root(u * v7);
  const Field25519 check = v * square(r), minus_u = -u;
  const Mask correct = equal(check, u), flipped = equal(check, minus_u);
  const Mask flipped_i = equal(check, minus_u * kSqrtMinusOne);
  return {correct | flipped, absolute(select(flipped | flipped_i, r * kSqrtMinusOne, r))};
}

}  // namespace ap::crypto::plain

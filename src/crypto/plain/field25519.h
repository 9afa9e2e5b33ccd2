// The field of 2^255 - 19 elements in plain C++, for ristretto255. No branch and no address depends on a
// value: what is true is a mask of ones, what is false is zero.
#pragma once

#include <array>
#include <cstdint>

namespace ap::crypto::plain {

/// The sum of limb[i] 2^(51 i). Every function takes and returns limbs below 2^51 + 2^13.
struct Field25519 {
  std::uint64_t limb[5];
};

using Mask = std::uint64_t;
using FieldBytes = std::array<std::uint8_t, 32>;

inline constexpr Field25519 kFieldZero{{0, 0, 0, 0, 0}};
inline constexpr Field25519 kFieldOne{{1, 0, 0, 0, 0}};
/// A square root of -1.
inline constexpr Field25519 kSqrtMinusOne{
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};

Field25519 operator+(const Field25519& a, const Field25519& b);
Field25519 operator-(const Field25519& a, const Field25519& b);
Field25519 operator*(const Field25519& a, const Field25519& b);
inline Field25519 operator-(const Field25519& a) { return kFieldZero - a; }
inline Field25519 square(const Field25519& a) { return a * a; }

/// 255 bits, little endian; the highest bit is left out.
Field25519 field_from_bytes(const FieldBytes& bytes);
/// The number below 2^255 - 19, little endian.
FieldBytes field_to_bytes(const Field25519& a);

Mask equal(const Field25519& a, const Field25519& b);
/// Whether the number below 2^255 - 19 is odd.
Mask is_negative(const Field25519& a);
/// a where the mask is set, else b.
Field25519 select(Mask mask, const Field25519& a, const Field25519& b);
/// a or -a, whichever is not negative.
Field25519 absolute(const Field25519& a);

/// RFC 9496, 4.2 (SQRT_RATIO_M1): the non-negative square root of u / v where that is a square, else of u / v
/// times a square root of -1; zero if u or v is.
struct SquareRoot {
  Mask was_square;
  Field25519 root;
};
SquareRoot sqrt_ratio(const Field25519& u, const Field25519& v);

}  // namespace ap::crypto::plain

// The field of 2^128 elements that the consistency checks of oblivious transfers compute in: polynomials over
// GF(2) modulo x^128 + x^7 + x^2 + x + 1 (the polynomial of NIST SP 800-38D), bit i of a block the
// coefficient of x^i. Addition is XOR. No branch or address depends on a value.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/core/block.h"

namespace ap::mpc {

Block gf_multiply(const Block& a, const Block& b);

/// x^exponent for exponent < 2^bits, by `bits` products.
Block gf_power(const Block& x, std::uint32_t exponent, int bits);

/// The powers of a point that gf_hash multiplies by.
struct GfPowers {
  static constexpr std::size_t kCount = 64;
  explicit GfPowers(const Block& x);
  const Block& x() const { return falling[kCount - 2]; }

  alignas(64) Block falling[kCount];  ///< x^63 .. x^0
  alignas(64) Block folded[kCount];   ///< of each its halves' sum, twice
  Block next;                         ///< x^64
};

/// in[0] x^(count-1) + .. + in[count-2] x + in[count-1]: a universal hash, for two different inputs of
/// `count` elements equal for at most count - 1 of the 2^128 points x.
Block gf_hash(const Block* in, std::size_t count, const GfPowers& x);
inline Block gf_hash(const Block* in, std::size_t count, const Block& x) {
  return gf_hash(in, count, GfPowers(x));
}

/// The kernels by name, for the tests that compare them; call only those that cpu() offers.
namespace kernels {
Block gf_multiply_plain(const Block& a, const Block& b);
Block gf_hash_plain(const Block* in, std::size_t count, const GfPowers& x);
/// powers.falling[60..64) are there; makes the ones before.
void gf_more_powers_plain(GfPowers& powers);
#if defined(__x86_64__)
Block gf_multiply_clmul(const Block& a, const Block& b);
Block gf_hash_clmul(const Block* in, std::size_t count, const GfPowers& x);
Block gf_hash_vclmul(const Block* in, std::size_t count, const GfPowers& x);
void gf_more_powers_vclmul(GfPowers& powers);
#endif
}  // namespace kernels

}  // namespace ap::mpc

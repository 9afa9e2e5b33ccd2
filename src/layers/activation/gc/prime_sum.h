// The sum of two shares modulo a prime as a signed number, inside a circuit.
//
// With L the width of p, h = (p - 1) / 2, p - 1 = 2^j P with P odd, and c the client's share b taken in
// [-h, h]:
//   x = a + c - p w,  w = [a + c > h],  -h <= x <= h, so that L bits in two's complement hold it.
// The client knows c.
//   (1) w is the carry out of a + (2^L - 1 - h + c), a known word: one AND a bit, half of one for the lowest.
//   (2) Mod 2^j, p is 1, so there x = a + (c - 1) + !w: the low j bits add a known word with !w carried in,
//       one AND a bit.
//   (3) Above, x adds the upper bits of c - 1 or, with w, those less P: the bit i of that addend is
//       u_i ^ (w & d_i) with u and d known, half an AND, none for the lowest, where d = 1 because P is odd;
//       and adding it to a costs an AND a bit, none for the last, which needs no carry.
// Together 2 L - 2 ANDs and L - j halves.
//
// Why none can go. A carry depends on all bits below it, on both sides' secrets, so each of the two chains
// needs an AND for each of its bits; the chains differ, for the second one starts from the end of the first.
// That the client knows the addend makes it free, not the carry: (x ^ k)(y ^ k) ^ k is non-linear in the
// labels for either k. A bit of the addend above j is u_i or u_i ^ d_i by w, and an AND with a known bit that
// the evaluator must not learn needs a ciphertext. Where NTT primes have j >= 13 these selections are few.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "layers/activation/activation_spec.h"
#include "mpc/garble/circuit.h"

namespace ap::activation {

/// Gates for x on the circuit's first input bits (a) and known bits (prime_sum_knowns).
/// @param spec  valid, with in_prime
/// @return the n wires of floor(x / 2^g), signed.
std::vector<mpc::Wire> add_prime_sum(mpc::Circuit& circuit, const ActivationSpec& spec);

/// Known bits of the circuit.
inline constexpr std::uint32_t kPrimeSumKnowns = 3 * 64;

/// The known words of a batch, three for each share b < p.
SecretVector<std::uint64_t> prime_sum_knowns(std::uint64_t prime, std::span<const std::uint64_t> b);

}  // namespace ap::activation

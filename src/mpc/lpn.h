// Learning parity with noise, the assumption under silent oblivious transfer, and its encoding.
//
//   row_i = u_{f(i,0)} xor ... xor u_{f(i,9)} xor e_i,   i < n,   u uniform of k elements
//
// f is a public random function (counters under AES with a constant key): a local-linear code with
// ten ones in a row, as in Ferret (Yang, Weng, Lan, Zhang, Wang, CCS 2020, eprint 2020/924, section 5). e is
// regular: one of every n/t consecutive elements is set. Local codes with a constant number of ones are
// standard for pseudorandom generators of this (sub-quadratic) stretch; fresh rows are used in every
// iteration.
//
// The sets below are published ones: kLargeLpn is the set called b12 in emp-ot, the implementation by
// Ferret's authors (b13 has k 452000 and t 1280), kSmallLpn the one-time set-up of the paper (its table 2).
// Both claim 128 bits against the attacks considered there and re-estimated by Liu, Wang, Yang, Yu ("The
// Hardness of LPN over Any Integer Ring and Field for PCG Applications", eprint 2022/712): pooled Gaussian
// elimination, statistical decoding with low-weight parity checks, and information-set decoding, with the
// regular structure used. Pooled Gauss alone, (1 - t/n)^-k trials of k^2.8 steps, takes 2^134 (large) and
// 2^144 (small) steps; the test of this file computes it. Algebraic attacks on regular noise (Briaud,
// Oygarden, eprint 2023/176) gain where k/n is large; here it is at most 0.056. These are claims of that
// literature and no estimate of ours: the margin above 128 bits is small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mpc/block.h"

namespace ap::mpc {

struct LpnParameters {
  std::size_t k = 0;  ///< elements of the secret
  std::size_t t = 0;  ///< noise positions, each in a bin of its own
  int bin_bits = 0;   ///< log2 of the bin's size

  std::size_t bin() const { return std::size_t{1} << bin_bits; }
  std::size_t n() const { return t * bin(); }
  /// Transfers that one iteration consumes: the secret, and one for each level of each tree.
  std::size_t seeds() const { return k + t * static_cast<std::size_t>(bin_bits); }
  /// Transfers that one iteration gives beyond those of the next iteration.
  std::size_t gain() const { return n() - seeds(); }
};

inline constexpr LpnParameters kSmallLpn{36288, 1269, 9};    ///< n = 649728
inline constexpr LpnParameters kLargeLpn{238000, 2507, 12};  ///< n = 10268672

/// Ones in a row of the code.
inline constexpr std::size_t kLpnWeight = 10;

/// rows[i] ^= the secret's elements that row `first + i` of the code names; first and rows.size() must be
/// even.
void lpn_encode(std::span<const Block> secret, std::uint64_t first, std::span<Block> rows);

/// The elements that row `row` names, for the tests of lpn_encode: a plain twin of its index generator.
void lpn_row(std::size_t k, std::uint64_t row, std::span<std::uint32_t, kLpnWeight> indices);

}  // namespace ap::mpc

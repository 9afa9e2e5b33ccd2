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
// The sets are ours: those that Ferret's authors publish (k 238000, t 2507, bins of 4096; k 36288, t 1269,
// bins of 512) take 2^104 and 2^117 steps or fewer, once an attacker uses that rows have ten ones
// (security/lpn.h: only the rows inside a random subset of the secret need be free of noise). Against all
// attacks listed there kSmallLpn takes 2^131 steps and kLargeLpn 2^132; the lowest are no known attacks but a
// bound for attacks that guess rows free of noise, however they choose them. By what is known the lowest is
// the algebraic attack on regular noise, 2^151 and 2^154. Compared at the same bytes: k 238000 leaves 2^107
// by that bound and 2^121 by the algebraic attack, with 12 ones a row k 260000 leaves 2^125 by
// the algebraic attack, with 8 ones it takes k 360000. These are estimates, of published attacks and of ours,
// no proofs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mpc/core/block.h"
#include "security/lpn.h"

namespace ap::mpc {

struct LpnParameters {
  std::size_t k = 0;  ///< elements of the secret
  std::size_t t = 0;  ///< noise positions, each in a bin of its own
  int bin_bits = 0;   ///< log2 of the bin's size

  constexpr std::size_t bin() const { return std::size_t{1} << bin_bits; }
  constexpr std::size_t n() const { return t * bin(); }
  /// Transfers that one iteration consumes: the secret, and one for each level of each tree.
  constexpr std::size_t seeds() const { return k + t * static_cast<std::size_t>(bin_bits); }
  /// Transfers that one iteration gives beyond those of the next iteration.
  constexpr std::size_t gain() const { return n() - seeds(); }
};

inline constexpr LpnParameters kSmallLpn{36288, 2538, 8};    ///< n = 649728
inline constexpr LpnParameters kLargeLpn{300000, 5014, 11};  ///< n = 10268672

/// Ones in a row of the code.
inline constexpr std::size_t kLpnWeight = 10;

/// The instance in the form that the estimates take.
constexpr security::LpnInstance lpn_instance(const LpnParameters& p) {
  return {static_cast<double>(p.k), static_cast<double>(p.t), static_cast<double>(p.bin()),
          static_cast<double>(kLpnWeight)};
}

/// The sets in use, by name.
struct NamedLpn {
  const char* name;
  LpnParameters parameters;
};
inline constexpr NamedLpn kLpnSets[] = {{"small", kSmallLpn}, {"large", kLargeLpn}};

/// security::lpn_bits of the weakest set in use.
double lpn_bits();

/// rows[i] ^= the secret's elements that row `first + i` of the code names; first and rows.size() must be
/// even.
void lpn_encode(std::span<const Block> secret, std::uint64_t first, std::span<Block> rows);

/// The elements that row `row` names, for the tests of lpn_encode: a reference implementation of its index
/// generator.
void lpn_row(std::size_t k, std::uint64_t row, std::span<std::uint32_t, kLpnWeight> indices);

}  // namespace ap::mpc

// Polynomials in X^(N/2n), the plaintexts of n slots: 2n coefficients say all, and their transform is one of length 2n
// whose values stand N/2n times each among those of length N. They are kept as such and made modulo a prime when it is
// their turn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "he/ckks/encoder.h"
#include "he/rlwe/context.h"
#include "ring/ntt.h"

namespace ap::circuits {

class Subring {
 public:
  /// For `slots` slots: a power of two from 8 to N/2. @throws Error(input) otherwise.
  Subring(rlwe::ContextPtr context, std::size_t slots);

  std::size_t slots() const { return coefficients_ / 2; }
  /// 2n.
  std::size_t coefficients() const { return coefficients_; }

  /// The 2n coefficients of an encoding of `slots` slots. @throws Error(input) if one has more than 62 bits.
  std::vector<std::int64_t> coefficients(std::span<const ring::Int128> integers) const;
  /// The 2n values of a polynomial with these 2n coefficients modulo prime `prime` of the context (data primes, then
  /// special primes), each below it: in the order of `expand`. Constant time in the coefficients but for their size.
  void transform(std::span<const std::int64_t> coefficients, std::size_t prime,
                 std::span<std::uint64_t> values) const;
  /// The N values in NTT form from 2n: in place if `values` are the last 2n of `out`.
  void expand(std::span<const std::uint64_t> values, std::span<std::uint64_t> out) const;

 private:
  const ring::NttTables& tables(std::size_t prime) const {
    return tables_.empty() ? context_->tables(prime) : tables_[prime];
  }

  rlwe::ContextPtr context_;
  std::size_t coefficients_;
  std::vector<ring::NttTables> tables_;  // none if the subring is the whole ring
};

}  // namespace ap::circuits

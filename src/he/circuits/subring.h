// Polynomials in X^(N/2n), the plaintexts of n slots: 2n coefficients say all, and their transform is one of length 2n
// whose values stand N/2n times each among those of length N. If the slots are real, coefficient 2n - j is the negative
// of coefficient j, the second half of the values is the first one backwards, and half of all that is enough. They are
// kept as coefficients and made modulo a prime when it is their turn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "he/ckks/encoder.h"
#include "he/rlwe/context.h"
#include "ring/ntt.h"
#include "ring/products.h"

namespace ap::circuits {

class Subring {
 public:
  /// For `slots` slots: a power of two from 8 to N/2. `real`: whether they are real numbers; not for fewer than
  /// kLeastRealSlots. @throws Error(input) otherwise.
  Subring(rlwe::ContextPtr context, std::size_t slots, bool real);
  static constexpr std::size_t kLeastRealSlots = 16;

  /// Coefficients that are kept, and values: 2n, or n of real slots.
  std::size_t words() const { return words_; }
  /// How the N values of the polynomial are among those.
  ring::WeightShape shape() const { return shape_; }

  /// The coefficients of an encoding of the slots. @throws Error(input) if one has more than 62 bits.
  std::vector<std::int64_t> coefficients(std::span<const ring::Int128> integers) const;
  /// The values of a polynomial with these coefficients modulo prime `prime` of the context (data primes, then special
  /// primes), each below it. `narrow`: all of them are below kNarrow, which is faster. Constant time in the coefficients.
  void transform(std::span<const std::int64_t> coefficients, bool narrow, std::size_t prime,
                 std::span<std::uint64_t> values) const;
  static constexpr std::int64_t kNarrow = std::int64_t{1} << 51;

 private:
  const ring::NttTables& tables(std::size_t prime) const {
    return tables_.empty() ? context_->tables(prime) : tables_[prime];
  }

  rlwe::ContextPtr context_;
  std::size_t words_;
  ring::WeightShape shape_;
  std::vector<ring::NttTables> tables_;     // none if they are those of the whole ring
  std::vector<ring::FixedFactor> mirrors_;  // of real slots: what the image of a coefficient comes in with
};

}  // namespace ap::circuits

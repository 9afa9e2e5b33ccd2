// The scale of a plaintext or a ciphertext: the number that its slots were multiplied by before they were rounded to
// integers. A product of powers of two and of primes of the chain, kept exactly, so that two scales are equal or not,
// and sums of unequal ones are refused: silently adding them would be a wrong answer.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "he/ckks/double_double.h"

namespace ap::ckks {

class Scale {
 public:
  /// 1.
  Scale() = default;
  /// 2^exponent.
  static Scale power_of_two(int exponent);
  /// A positive integer, in practice a prime of the chain. @throws Error(internal) for 0.
  static Scale integer(std::uint64_t x);

  /// @throws Error(input) after so many squarings that an exponent leaves 63 bits: encode something at a fresh scale.
  friend Scale operator*(const Scale& x, const Scale& y) { return combine(x, y, 1); }
  friend Scale operator/(const Scale& x, const Scale& y) { return combine(x, y, -1); }
  /// Exactly, as products of the factors that they were made from.
  friend bool operator==(const Scale& x, const Scale& y) { return x.factors_ == y.factors_; }

  /// To 100 bits, less one for each time that it was squared. @throws Error(input) beyond 2^1000 and below 2^-1000.
  DoubleDouble value() const;
  double log2() const;
  /// Such as "2^45.03", for messages.
  std::string text() const;

 private:
  static Scale combine(const Scale& x, const Scale& y, int sign);
  void normalise();

  std::vector<std::pair<std::uint64_t, std::int64_t>> factors_;  // base and exponent, by base
  DoubleDouble mantissa_{1.0};                                   // in [1, 2)
  std::int64_t exponent_ = 0;
};

}  // namespace ap::ckks

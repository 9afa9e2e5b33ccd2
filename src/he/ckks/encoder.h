// From slots to integer polynomials and back (Cheon, Kim, Kim and Song, 2016/421). With zeta = exp(i pi / N), slot j of n
// slots is the polynomial's value at zeta^(5^j), divided by the scale: sums and products of polynomials are those of
// slots, and X -> X^5 moves every slot by one. n may be any power of two up to N/2: fewer slots (sparse packing) are a
// polynomial in X^(N/2n), the same values repeated N/2n times over all N/2 slots.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/memory.h"
#include "he/ckks/plaintext.h"
#include "he/ckks/scale.h"
#include "he/ckks/special_fft.h"
#include "he/rlwe/encrypt.h"
#include "ring/modulus.h"

namespace ap::ckks {

using Slots = SecretVector<std::complex<double>>;
using Integers = SecretVector<ring::Int128>;

/// Coefficients have at most this many bits, scale included.
inline constexpr int kMaxCoefficientBits = 100;

/// Tables for one ring degree. Immutable. Constant time in the slots, but for whether they are in range.
class Encoder {
 public:
  explicit Encoder(rlwe::ContextPtr context);

  const rlwe::ContextPtr& context() const { return context_; }
  /// N/2.
  std::size_t max_slots() const { return context_->n() / 2; }

  /// The N coefficients, rounded to nearest: the only error, as long as the slots are exact doubles (computed with 106
  /// bits where 53 would not do). @throws Error(input) if the number of slots is not a power of two up to N/2, or a
  /// value is not finite or leaves kMaxCoefficientBits at this scale.
  Integers coefficients(std::span<const std::complex<double>> slots, const Scale& scale) const;
  Integers coefficients(std::span<const double> slots, const Scale& scale) const;

  /// To multiply and add to ciphertexts of up to `level` data primes.
  /// @throws Error(input) as above, if there are not so many primes, and if a coefficient is not below half of their
  /// product.
  Plaintext encode(std::span<const std::complex<double>> slots, std::size_t level, const Scale& scale) const;
  Plaintext encode(std::span<const double> slots, std::size_t level, const Scale& scale) const;
  Plaintext encode(std::span<const ring::Int128> coefficients, std::size_t level, const Scale& scale) const;

  /// `slots` slots of a polynomial given by its N coefficients. @throws Error(input) for a wrong number of slots.
  Slots decode(std::span<const ring::Int128> coefficients, std::size_t slots, const Scale& scale) const;
  Slots decode(const Plaintext& plaintext, std::size_t slots) const;

 private:
  std::size_t checked_slots(std::size_t slots) const;
  template <typename Real>
  Integers rounded(const SpecialFft<Real>& fft, std::span<const std::complex<double>> slots,
                   const Scale& scale) const;
  template <typename Real>
  Slots transformed(const SpecialFft<Real>& fft, std::span<const ring::Int128> coefficients,
                    std::size_t slots, const Scale& scale) const;

  rlwe::ContextPtr context_;
  SpecialFft<DoubleDouble> precise_;
  SpecialFft<double> fast_;

  Encoder(rlwe::ContextPtr context, const UnitRoots& roots);
};

/// The coefficients as rlwe's encryption takes them. The integers must outlive it.
rlwe::AddCoefficients add_coefficients(const rlwe::Context& context, std::span<const ring::Int128> integers);
/// The centred integers with these residues modulo the first `level` data primes (level * N of them, as rlwe::phase
/// gives them). Only as many primes are looked at as fit 120 bits together: larger integers come back reduced modulo
/// their product.
Integers centred_integers(const rlwe::Context& context, std::span<const std::uint64_t> residues,
                          std::size_t level);

}  // namespace ap::ckks

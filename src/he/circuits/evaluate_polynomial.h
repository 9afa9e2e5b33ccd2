// Polynomials of ciphertexts in Chebyshev's basis. Scales are exact throughout: every constant is encoded at the scale
// that makes the terms of a sum agree, and the result comes out at the level and scale that the caller asks for, at no
// cost. Sums of products are relinearised and rescaled once. Numbers of operations depend on the polynomials only.
//
// What keeps precision: T_n has the scale s_n with s_2n = s_n^2 / q, so the scale of t must be near the size of the primes
// that its levels drop (within a bit or two; scales move away from the primes twice as far each level).
#pragma once

#include <map>
#include <span>
#include <vector>

#include "he/circuits/chebyshev_series.h"
#include "he/circuits/polynomial_plan.h"
#include "he/ckks/evaluate.h"

namespace ap::circuits {

/// What a result is to have: data primes left, and scale.
struct Target {
  std::size_t level = 1;
  ckks::Scale scale;
};

// --- interval -----------------------------------------------------------------------------------------------

/// t = (2 x - low - high) / (high - low) of slots x, exactly and at no cost of level: the middle is subtracted as a
/// constant, and the division is a change of name, the scale times half the width.
ckks::Ciphertext to_unit_interval(const ckks::Ciphertext& x, double low, double high);
/// The same at the scale asked for, by a product with a constant and a rescaling: one level. For intervals so wide or
/// narrow that the scale above would be far from the primes.
ckks::Ciphertext to_unit_interval(const ckks::Ciphertext& x, double low, double high,
                                  const ckks::Scale& scale);

// --- powers -------------------------------------------------------------------------------------------------

/// T_n(t) of one ciphertext, made when first asked for, to be shared by several polynomials. The key must outlive it.
class ChebyshevPowers {
 public:
  /// t of degree 1 with slots in [-1, 1].
  ChebyshevPowers(ckks::Ciphertext t, const rlwe::RelinearisationKey& key);

  const rlwe::RelinearisationKey& key() const { return *key_; }
  const rlwe::ContextPtr& context() const { return powers_.at(1).context(); }
  /// Of t; T_n has power_depth(n) primes fewer.
  std::size_t level() const { return powers_.at(1).level(); }

  /// Makes the plan's powers that are not there yet. @throws Error(input) if the levels of t do not suffice or a power's
  /// scale leaves the range in which its slots keep 16 bits and fit the modulus.
  void make(const PolynomialPlan& plan);
  /// n = 1, or a power that a plan made. @throws Error(internal) otherwise.
  const ckks::Ciphertext& operator[](int n) const;

 private:
  void make(const PolynomialPlan::Power& power);

  std::map<int, ckks::Ciphertext> powers_;
  const rlwe::RelinearisationKey* key_;
};

// --- evaluation ---------------------------------------------------------------------------------------------

/// p(t), t in [-1, 1] (p.low and p.high are not looked at), by the plan of p's degree and parity.
/// @throws Error(input) unless target.level + plan.depth <= powers.level(), and if a scale does not fit.
ckks::Ciphertext evaluate(ChebyshevPowers& powers, const ChebyshevSeries& p, const PolynomialPlan& plan,
                          const Target& target);
/// With plan_polynomial(p.degree(), p.parity()).
ckks::Ciphertext evaluate(ChebyshevPowers& powers, const ChebyshevSeries& p, const Target& target);
/// p(x) for slots x in [p.low, p.high], by to_unit_interval of no cost, at the lowest levels that reach the target.
ckks::Ciphertext evaluate(const ckks::Ciphertext& x, const ChebyshevSeries& p, const Target& target,
                          const rlwe::RelinearisationKey& key);
/// Several polynomials on one interval, of the same powers.
std::vector<ckks::Ciphertext> evaluate(const ckks::Ciphertext& x, std::span<const ChebyshevSeries> p,
                                       const Target& target, const rlwe::RelinearisationKey& key);

/// 2 y^2 - a^2 for y = a cos u, that is a^2 cos(2 u): one level, the scale y.scale()^2 / q.
ckks::Ciphertext double_angle(const ckks::Ciphertext& y, double amplitude,
                              const rlwe::RelinearisationKey& key);

}  // namespace ap::circuits

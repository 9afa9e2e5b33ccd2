#include "he/circuits/bootstrap.h"

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "he/circuits/evaluate_polynomial.h"
#include "he/circuits/linear_terms.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/mod_raise.h"

namespace ap::circuits {
namespace {

using ckks::Ciphertext;
using ckks::Scale;
using Parameters = BootstrapParameters;

constexpr long double kPi = std::numbers::pi_v<long double>;
// u - 1/4 lies within this of 0, m/q_0 included; half of it is an odd number over four, a scale.
constexpr double kHalfWidth = Parameters::kMultiples + 0.5;

// Amplitude a of the cosine before `left` doublings: each squares it, and 1 / 2 pi is left at the end.
double amplitude(int left) {
  return static_cast<double>(std::pow(1 / (2 * kPi), 1 / static_cast<long double>(1 << left)));
}

ChebyshevSeries cosine() {
  const long double a = amplitude(Parameters::kDoublings), turn = 2 * kPi / (1 << Parameters::kDoublings);
  return interpolate([&](long double v) { return a * std::cos(turn * v); }, -kHalfWidth, kHalfWidth,
                     Parameters::kDegree, Parity::even);
}

Scale prime(const rlwe::Context& context, std::size_t i) {
  return Scale::integer(context.modulus(i).value());
}

// 2^e, to the doubles.
Scale power(double e) { return exact_scale(std::exp2(e)); }

std::vector<LinearTransform> encoded(const ckks::Encoder& encoder,
                                     const std::vector<DiagonalMatrix>& matrices,
                                     const std::vector<bool>& rescaled, std::size_t level,
                                     const std::vector<Scale>& scales) {
  std::vector<LinearTransform> transforms;
  for (std::size_t k = 0; k < matrices.size(); ++k) {
    transforms.emplace_back(encoder, matrices[k],
                            LinearTransform::Levels{level, scales[k], scales[k + 1],
                                                    rescaled[k] ? Rescaling::last_prime : Rescaling::none});
    if (rescaled[k]) --level;
  }
  return transforms;
}

}  // namespace

Bootstrapper::Bootstrapper(const BootstrapParameters& parameters)
    : parameters_(parameters), contexts_(parameters), encoder_(contexts_.chain), cosine_(cosine()) {
  const rlwe::Context& chain = *contexts_.chain;
  // The scale of the cosine makes that of the sine, after its squarings, the message ratio times that of the slots: by
  // that it is the slots' when the division by the ratio is a change of name.
  const double excess =
      parameters_.scale().log2() + parameters_.log2_message_ratio() - parameters_.mod_bits();
  cosine_scale_ = power(parameters_.mod_bits() + excess / (1 << Parameters::kDoublings));
  reduced_scale_ = cosine_scale_;
  for (int k = 0; k < Parameters::kDoublings; ++k) {
    const std::size_t level =
        parameters_.output_level() + Parameters::kDoublings - static_cast<std::size_t>(k);
    reduced_scale_ = ckks::product_scale(chain, level, reduced_scale_, reduced_scale_);
  }
  // m = coefficient_scale slots, and sin(2 pi u) / 2 pi = m / q_0.
  coefficient_scale_ = parameters_.scale() * prime(chain, 0) / reduced_scale_;

  std::vector<Scale> down{parameters_.scale()};
  const std::vector<bool>& rescaled = parameters_.rescaled_down();
  for (std::size_t k = 0; k + 1 < rescaled.size(); ++k) {
    // Two matrices that share a prime have half its bits each.
    down.push_back(rescaled[k] ? parameters_.scale() : parameters_.scale() * Scale::power_of_two(24));
  }
  down.push_back(coefficient_scale_);
  const ckks::Encoder bottom(contexts_.bottom);
  down_ = encoded(bottom, matrices_down(parameters_), rescaled, parameters_.input_level(), down);

  // u = coefficients / q_0; SubSum multiplies by N / 2n.
  const std::size_t gap = parameters_.n() / (2 * parameters_.slots());
  raised_scale_ = prime(chain, 0) * Scale::integer(gap);
  // So that t = (u - 1/4) / kHalfWidth, a change of name, has the scale of the primes.
  slot_scale_ = Scale::power_of_two(parameters_.mod_bits() + 1) /
                Scale::integer(static_cast<std::uint64_t>(2 * kHalfWidth));
  std::vector<Scale> up(parameters_.merged_up().size(), Scale::power_of_two(parameters_.mod_bits()));
  up[0] = raised_scale_;
  up.push_back(slot_scale_);
  up_ = encoded(encoder_, matrices_up(parameters_), std::vector<bool>(up.size(), true), chain.data(), up);
}

Ciphertext Bootstrapper::slots_to_coefficients(const Ciphertext& x, const BootstrapKeys& keys) const {
  if (x.level() != parameters_.input_level() || x.degree() != 1 || !(x.scale() == parameters_.scale())) {
    fail_input(
        "a bootstrap by {} takes ciphertexts of level {}, scale {} and degree 1, not of level {}, scale {} and "
        "degree {}: rescale it and drop primes",
        parameters_.name(), parameters_.input_level(), parameters_.scale().text(), x.level(),
        x.scale().text(), x.degree());
  }
  AP_ASSERT(x.context() == contexts_.chain);
  Ciphertext y(rlwe::moved(x.polynomials(), contexts_.bottom), x.scale());
  for (const LinearTransform& transform : down_) y = transform.apply(y, keys.bottom());
  return {rlwe::moved(y.polynomials(), contexts_.chain), y.scale()};
}

Ciphertext Bootstrapper::raise(const Ciphertext& x, const BootstrapKeys& keys) const {
  Ciphertext y(rlwe::mod_raise(x.polynomials(), keys.raise()), raised_scale_);
  for (std::size_t step = parameters_.slots(); step < parameters_.n() / 2; step *= 2) {
    ckks::add(y, ckks::rotate(y, static_cast<std::int64_t>(step), keys.chain()));
  }
  return y;
}

Ciphertext Bootstrapper::coefficients_to_slots(const Ciphertext& x, const BootstrapKeys& keys) const {
  Ciphertext y = x;
  for (const LinearTransform& transform : up_) y = transform.apply(y, keys.chain());
  ckks::add(y, ckks::conjugate(y, keys.chain()));
  return y;
}

Ciphertext Bootstrapper::reduce(const Ciphertext& x, const BootstrapKeys& keys) const {
  const rlwe::RelinearisationKey& key = keys.relinearisation();
  ChebyshevPowers powers(to_unit_interval(x, 0.25 - kHalfWidth, 0.25 + kHalfWidth), key);
  const std::size_t level = parameters_.output_level() + Parameters::kDoublings;
  Ciphertext y = evaluate(powers, cosine_, {level, cosine_scale_});
  for (int left = Parameters::kDoublings; left > 0; --left) y = double_angle(y, amplitude(left), key);
  AP_ASSERT(y.scale() == reduced_scale_);
  return {std::move(y.polynomials()), parameters_.scale()};
}

Ciphertext Bootstrapper::operator()(const Ciphertext& x, const BootstrapKeys& keys) const {
  return reduce(coefficients_to_slots(raise(slots_to_coefficients(x, keys), keys), keys), keys);
}

std::size_t Bootstrapper::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto* some : {&down_, &up_}) {
    for (const LinearTransform& transform : *some) bytes += transform.memory_bytes();
  }
  return bytes;
}

}  // namespace ap::circuits

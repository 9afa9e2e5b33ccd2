#include "he/circuits/bootstrap.h"

#include <numbers>

#include "base/error.h"
#include "he/circuits/evaluate_polynomial.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/mod_raise.h"

namespace ap::circuits {
namespace {

using ckks::Ciphertext;
using ckks::Scale;
using Parameters = BootstrapParameters;

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
    : parameters_(parameters),
      contexts_(parameters),
      encoder_(contexts_.chain),
      cosine_(scaled_cosine(Parameters::kMultiples, Parameters::kDegree, Parameters::kDoublings)) {
  const rlwe::Context& chain = *contexts_.chain;
  const Scale lowest = Scale::integer(chain.modulus(0).value());
  std::vector<Scale> down{parameters_.scale()};
  const std::vector<bool>& rescaled = parameters_.rescaled_down();
  for (std::size_t k = 0; k + 1 < rescaled.size(); ++k) {
    // Two matrices that share a prime have half its bits each.
    down.push_back(rescaled[k] ? parameters_.scale() : parameters_.scale() * Scale::power_of_two(24));
  }
  down.push_back(parameters_.coefficient_scale());
  const ckks::Encoder bottom(contexts_.bottom);
  down_ = encoded(bottom, matrices_down(parameters_), rescaled, parameters_.input_level(), down);

  // u = coefficients / q_0; SubSum multiplies by N / 2n.
  raised_scale_ = lowest * Scale::integer(parameters_.n() / (2 * parameters_.slots()));
  // Times half the width of the cosine's interval, which is 65/4, it is near the primes of EvalMod.
  const auto quarters = static_cast<std::uint64_t>(2 * (cosine_.series.high - cosine_.series.low));
  const Scale slot_scale = Scale::power_of_two(parameters_.mod_bits() + 2) / Scale::integer(quarters);
  std::vector<Scale> up(parameters_.merged_up().size(), Scale::power_of_two(parameters_.mod_bits()));
  up[0] = raised_scale_;
  up.push_back(slot_scale);
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
  // m / q_0 = sin(2 pi u) / 2 pi, and the slots are m over their scale.
  const auto lowest = static_cast<double>(contexts_.chain->modulus(0).value());
  const double ratio = lowest / static_cast<double>(parameters_.coefficient_scale().value());
  return evaluate_sine(x, cosine_, ratio / (2 * std::numbers::pi),
                       {parameters_.output_level(), parameters_.scale()}, keys.relinearisation());
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

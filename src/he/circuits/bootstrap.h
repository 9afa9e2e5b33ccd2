// Bootstrapping of CKKS: a ciphertext at the bottom of its chain becomes one of the same slots, nearly, with levels to
// compute with (Cheon, Han, Kim, Kim and Song, 2018/153). For real slots and with SlotsToCoefficients first, so that one
// EvalMod does and the slots themselves, not their transform, are what it sees:
//
//   SlotsToCoefficients   at the lowest levels: the slots become coefficients modulo q_0
//   ModRaise              reads them modulo all primes: q_0 I comes to them, I small (he/rlwe/mod_raise.h)
//   SubSum                fewer slots than N/2: coefficients that are none of theirs are summed away
//   CoefficientsToSlots   to slots again, and the real part
//   EvalMod               u = m/q_0 + I -> sin(2 pi u) / 2 pi, nearly m/q_0
//
// docs/bootstrapping.md has the formulas, precision and failure.
#pragma once

#include <memory>
#include <vector>

#include "he/circuits/bootstrap_keys.h"
#include "he/circuits/bootstrap_parameters.h"
#include "he/circuits/linear_transform.h"
#include "he/circuits/scaled_cosine.h"
#include "he/ckks/encoder.h"

namespace ap::circuits {

/// Immutable; what it holds depends on public parameters only. Uses all cores.
class Bootstrapper {
 public:
  /// Encodes all matrices: seconds for large sets.
  explicit Bootstrapper(const BootstrapParameters& parameters);

  const BootstrapParameters& parameters() const { return parameters_; }
  const BootstrapContexts& contexts() const { return contexts_; }
  const ckks::Encoder& encoder() const { return encoder_; }

  /// x of parameters().input_level() and scale(), with real slots in [-1, 1] that repeat every slots() of N/2; the
  /// imaginary parts are lost. The result has output_level() and scale(). What leaves [-1, 1] comes back less exactly,
  /// with the cube of its size. @throws Error(input) if x has another level, scale or degree.
  ckks::Ciphertext operator()(const ckks::Ciphertext& x, const BootstrapKeys& keys) const;

  /// The steps, for tests and measurements.
  ckks::Ciphertext slots_to_coefficients(const ckks::Ciphertext& x, const BootstrapKeys& keys) const;
  /// Slots u times what they are called: the result's slots are in [-kMultiples, kMultiples].
  ckks::Ciphertext raise(const ckks::Ciphertext& x, const BootstrapKeys& keys) const;
  ckks::Ciphertext coefficients_to_slots(const ckks::Ciphertext& x, const BootstrapKeys& keys) const;
  ckks::Ciphertext reduce(const ckks::Ciphertext& x, const BootstrapKeys& keys) const;

  /// Of the encoded matrices.
  std::size_t memory_bytes() const;

 private:
  BootstrapParameters parameters_;
  BootstrapContexts contexts_;
  ckks::Encoder encoder_;
  ScaledCosine cosine_;
  ckks::Scale raised_scale_;
  std::vector<LinearTransform> down_, up_;
};

}  // namespace ap::circuits

// The server's computation on ciphertexts: a program's steps with the network's weights as linear transforms.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "he/circuits/bootstrap.h"
#include "he/circuits/linear_transform.h"
#include "he/ckks/encoder.h"
#include "he_only/plan/program.h"
#include "he_only/run/keys.h"

namespace ap::he_only {

/// Ciphertexts of one tensor.
using Registers = std::vector<ckks::Ciphertext>;

/// Immutable: serves many clients at once.
class Evaluator {
 public:
  /// Encodes all weights. All arguments must outlive it.
  Evaluator(const Structure& structure, const ShapedNetwork& shaped, const Choices& choices,
            const Program& program, const Contexts& contexts);

  /// The result's ciphertexts, at level 1 and moved to contexts.answer, with noise on all coefficients that hides the weights
  /// (Choices::flood_step) and under a fresh encryption of zero. Uses all cores.
  /// @param image  in the input's context, at its level
  /// @param done   called after every step with how many are done; it may throw to end the computation
  Registers answer(Registers image, const EvaluationKeys& keys, Prng& prng,
                   const std::function<void(std::size_t)>& done = {}) const;
  /// The same without that noise, at the level of the last step: measurements, never to be sent.
  Registers evaluate(Registers image, const EvaluationKeys& keys,
                     const std::function<void(std::size_t)>& done = {}) const;

  /// Of all encoded weights.
  std::size_t memory_bytes() const;

 private:
  struct Matrix {
    std::size_t term, from, to;
    circuits::LinearTransform transform;
  };
  struct Linear {
    std::vector<Matrix> matrices;
    std::vector<std::size_t> term_steps;
    std::vector<std::vector<std::size_t>> folds;  ///< by term
    std::vector<std::vector<double>> bias;        ///< by ciphertext; of one period
  };
  Linear encoded(std::size_t step) const;
  Registers linear(std::size_t step, const std::vector<Registers>& values, const EvaluationKeys& keys) const;
  Registers activation(std::size_t step, const Registers& argument, const EvaluationKeys& keys) const;
  void hide(ckks::Ciphertext& x, const EvaluationKeys& keys, Prng& prng) const;

  const Structure& structure_;
  const ShapedNetwork& shaped_;
  const Choices& choices_;
  const Program& program_;
  const Contexts& contexts_;
  std::vector<std::shared_ptr<const ckks::Encoder>> encoders_;  ///< by context; none where no step is linear
  std::vector<Linear> linears_;                                 ///< by step
  std::vector<std::size_t> last_reader_;                        ///< by step
  std::unique_ptr<const circuits::Bootstrapper> bootstrapper_;
};

}  // namespace ap::he_only

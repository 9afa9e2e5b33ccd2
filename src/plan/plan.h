// The plan: everything both parties must agree on before an inference, as plain data. It is computed once by
// `compile`, travels inside both packages, and its hash is pinned in the handshake.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "he/bfv/batch_context.h"
#include "he/bfv/context.h"
#include "layers/linear/coefficient/layout.h"
#include "layers/linear/simd/packing.h"
#include "nn/ir/quantised_network.h"
#include "plan/moduli.h"

namespace ap::plan {

using linear::CoefficientChoice;
using linear::SimdChoice;

/// How one linear layer runs under homomorphic encryption.
struct LinearChoice {
  int node = 0;  ///< index in the network
  /// Index into Plan::groups, or Plan::batch_groups of a layer packed for SIMD: the layers of a group share one
  /// key per inference.
  int group = 0;
  /// Plaintext modulus p = 2^log2_p, equal to the node's sharing modulus; rounded up where that is a prime.
  int log2_p = 0;
  /// SIMD packing is that of the published baselines, which share modulo a prime.
  std::variant<CoefficientChoice, SimdChoice> packing;
  /// Of the server's own noise (random/wide_noise.h), which hides the weights. Packages say it of every layer; SIMD
  /// packing floods instead and does not look at it.
  std::uint64_t noise_step = 0;
  double error_std = 0;     ///< bound on the predicted standard deviation of p e / q, in accumulator LSBs
  double failure_log2 = 0;  ///< log2 of the probability that some coefficient is off by more than one
  double predicted_s = 0;   ///< both parties, one thread
  std::uint64_t predicted_bytes = 0;

  /// Null for the other packing.
  const CoefficientChoice* coefficient() const { return std::get_if<CoefficientChoice>(&packing); }
  CoefficientChoice* coefficient() { return std::get_if<CoefficientChoice>(&packing); }
  const SimdChoice* simd() const { return std::get_if<SimdChoice>(&packing); }
  SimdChoice* simd() { return std::get_if<SimdChoice>(&packing); }
};

/// The protocol of tables and products in a plan: no other has them.
inline constexpr const char* kPrivateProtocol = "ot";

/// How one activation runs.
struct ActivationChoice {
  int node = 0;
  std::string protocol =
      "gc";               ///< "auto", "gc", "ot" or "one-trip"; of quadratics "beaver" (plan/quadratic.h), of
                          ///< tables and products kPrivateProtocol
  Truncation truncation;  ///< of a quadratic or a product: of its result
  Truncation argument;    ///< of a quadratic only: from its input to what is squared
  int out_bits = 0;       ///< sharing modulus of the output
  double predicted_s = 0;
  std::uint64_t predicted_bytes = 0;
};

/// What an inference tells the client.
enum class Reveal : std::uint8_t { logits, label };

/// What the server does against a client that learns the weights from the errors of its results, its own random
/// tape known to it (docs/threat-model, "Circuit privacy as a budget").
struct WeightPrivacy {
  /// T: how many inferences may be prepared for all clients together that may pool what they see. 0: nothing is
  /// promised.
  std::uint64_t inferences = 0;
};

struct Plan {
  std::string policy;
  double target_failure_log2 = -40;  ///< per inference
  std::vector<bfv::Parameters> groups;
  std::vector<bfv::BatchParameters> batch_groups;
  std::vector<int> modulus_bits;  ///< by node; of the prime, if the node has one
  /// By node: the prime that its shares are taken modulo, or 0 for 2^modulus_bits; empty if there is no prime.
  std::vector<std::uint64_t> primes;
  std::vector<LinearChoice> linears;
  std::vector<ActivationChoice> activations;
  Reveal reveal = Reveal::logits;
  WeightPrivacy privacy;
  std::string
      argmax_protocol;  ///< of the last step if the label is revealed: as of an activation; else empty
  double min_lambda_bits = 0;
  double failure_log2 = 0;  ///< predicted, per inference
  /// Where a published baseline had to leave its published numbers, and why: one sentence each. For the owner
  /// of the model alone, because it speaks of the weights: packages leave it out.
  std::vector<std::string> notes;
};

/// Whether the keys of layers packed for SIMD, megabytes of them, serve a session: where an inference fails with
/// at most 2^-40. Otherwise they are made for each inference, as those of coefficient packing always are.
inline bool keeps_keys(const Plan& plan) { return plan.failure_log2 <= -40; }

/// Checks a plan against a network: both may come from an untrusted file. Afterwards every index is in range,
/// every width is consistent and every linear node and activation has exactly one choice.
/// @throws Error(input) naming the layer, the value and the limit.
void validate(const Plan& plan, const nn::QuantisedNetwork& network);

}  // namespace ap::plan

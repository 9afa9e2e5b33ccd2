// The plan: everything both parties must agree on before an inference, as plain data. It is computed once by
// `compile`, travels inside both packages, and its hash is pinned in the handshake.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bfv/context.h"
#include "linear/layout.h"
#include "nn/quantised_network.h"
#include "plan/moduli.h"

namespace ap::plan {

/// How one linear layer runs under homomorphic encryption.
struct LinearChoice {
  int node = 0;    ///< index in the network
  int group = 0;   ///< index into Plan::groups: the layers of a group share one key per inference
  int log2_p = 0;  ///< plaintext modulus p = 2^log2_p, equal to the node's sharing modulus
  linear::Packing packing;
  int drop0 = 0, drop1 = 0;  ///< low bits of c0 and c1 that a reply leaves out
  double error_std = 0;      ///< predicted standard deviation of p e / q, in accumulator LSBs
  double failure_log2 = 0;   ///< log2 of the probability that some coefficient is off by more than one
  double predicted_s = 0;    ///< both parties, one thread
  std::uint64_t predicted_bytes = 0;
};

/// How one activation runs.
struct ActivationChoice {
  int node = 0;
  std::string engine = "gc";
  Truncation truncation;
  int out_bits = 0;  ///< sharing modulus of the output
  double predicted_s = 0;
  std::uint64_t predicted_bytes = 0;
};

struct Plan {
  std::string policy;
  double target_failure_log2 = -40;  ///< per inference
  std::vector<bfv::Parameters> groups;
  std::vector<int> modulus_bits;  ///< by node
  std::vector<LinearChoice> linears;
  std::vector<ActivationChoice> activations;
  double min_lambda_bits = 0;
  double failure_log2 = 0;  ///< predicted, per inference
};

/// Checks a plan against a network: both may come from an untrusted file. Afterwards every index is in range,
/// every width is consistent and every linear node and activation has exactly one choice.
/// @throws Error(input) naming the layer, the value and the limit.
void validate(const Plan& plan, const nn::QuantisedNetwork& network);

}  // namespace ap::plan

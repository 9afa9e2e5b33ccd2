// Which prime each tensor is shared modulo, for layers packed for SIMD.
//
// Batching needs p = 1 mod 2N, and shares modulo one prime do not become shares modulo another locally: a
// linear layer, its input and all local nodes between have one prime in common. Only an activation, which
// opens its input inside a circuit, may change it. So the nodes fall into components, each with one prime.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::plan {

/// Nodes that share one prime.
struct PrimeComponent {
  std::vector<int> nodes;    ///< ascending
  std::vector<int> linears;  ///< the linear ones of them
  /// No value of the component that matters exceeds this: inputs of activations with what is added to them
  /// before they are truncated, outputs of activations, the image and the logits. Others may wrap.
  std::int64_t bound = 0;
  int widest = 0;  ///< the node that needs it
};

/// In the order of their first nodes. @throws Error(input) naming a quadratic activation.
std::vector<PrimeComponent> prime_components(const nn::QuantisedNetwork& network,
                                             std::span<const nn::Interval> ranges);

/// The smallest prime that is 1 mod 2n and holds [-bound, bound] as signed numbers: above 2 bound.
/// @throws Error(input) if it needs more than kMaxModulusBits bits.
std::uint64_t smallest_prime(std::int64_t bound, std::uint32_t n);

}  // namespace ap::plan

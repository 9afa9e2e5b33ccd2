// How accurate a plan's polynomial network is, in the clear and with the noise of ciphertexts, and whether its values stay in
// their intervals. On ciphertexts nobody sees a value that leaves its interval, so that a plan has to be refused beforehand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/approximation/clear_network.h"

namespace ap::approximation {

struct SimulationOptions {
  /// Standard deviation of normal errors of each activation's result, in parts of the activation's bound (2^-bits of
  /// precision). 0: none.
  double noise = 0;
  std::uint64_t seed = 1;
};

/// Of one activation, over all images.
struct Overflow {
  std::uint64_t outside = 0;  ///< inputs that are not in [-bound, bound]
  double largest_ratio = 0;   ///< the greatest |input| / bound; infinity if one was no number
};

struct ClearResult {
  std::size_t images = 0;
  std::vector<int> predictions;
  std::optional<double> top1;       ///< with labels
  std::vector<Overflow> overflows;  ///< by activation, in the order of nodes

  std::uint64_t outside() const;
  double largest_ratio() const;
};

/// The network with the plan's polynomials. `labels`: one an image, or none. The result does not depend on the number of
/// threads. @throws Error(input) if sizes differ or the plan does not fit.
ClearResult simulate(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations,
                     std::span<const float> images, std::span<const int> labels,
                     const SimulationOptions& options = {});
/// The network's own activations.
ClearResult simulate(const nn::Graph& graph, std::span<const float> images, std::span<const int> labels);

/// @throws Error(input) that names the activation whose values left their interval or came nearer to its end than
/// 1 / margin, and says how far.
void refuse_overflow(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations,
                     const ClearResult& result, double margin = 1);

/// Logits with normal errors of these deviations at the results of the activations, one each in the order of nodes.
std::vector<float> noisy_logits(const ClearNetwork& network, std::span<const float> images,
                                std::span<const double> deviations, std::uint64_t seed);

}  // namespace ap::approximation

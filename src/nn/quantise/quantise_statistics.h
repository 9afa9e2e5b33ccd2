// What calibration observes of the float network.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

struct NodeStatistics {
  float low = 0, high = 0;                       ///< extreme values over all images
  std::vector<float> samples;                    ///< a regular subset of the values
  std::vector<float> channel_low, channel_high;  ///< extreme values, [c]
  std::vector<double> channel_mean;              ///< [c]
  std::vector<double> channel_square;            ///< mean of x^2, [c]
};

/// Statistics of every node over the images, which run in parallel; the result does not depend on the number
/// of threads. @throws Error(input) if there are no images, or naming the node whose values are not finite.
std::vector<NodeStatistics> observe(const Graph& graph, std::span<const Tensor> images);

}  // namespace ap::nn

// What activations see: the distribution of each one's inputs over calibration images.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/approximation/clear_network.h"
#include "he/circuits/hermite_fit.h"

namespace ap::approximation {

/// Of all inputs of one activation.
struct InputDistribution {
  int node = 0;
  double mean = 0, variance = 0;
  double low = 0, high = 0;  ///< the least and the greatest
  /// Of inputs in kBins equal parts of [low, high].
  std::vector<std::uint64_t> counts;
  static constexpr std::size_t kBins = 1024;

  double deviation() const;
  /// The greatest absolute value.
  double largest() const;
  /// The fraction of inputs of absolute value above x, by whole bins.
  double beyond(double x) const;
};

/// One for each activation, in the order of nodes. Two runs over the images: ranges, then histograms.
/// @throws Error(input) without images, or if values are not finite.
std::vector<InputDistribution> input_distributions(const ClearNetwork& network,
                                                   std::span<const float> images);

/// The greatest absolute value of every node's result over the images (what a bootstrap there has to bear).
std::vector<double> largest_values(const ClearNetwork& network, std::span<const float> images);

}  // namespace ap::approximation

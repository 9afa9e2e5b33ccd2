// The first step of an image, which a client does without any executor.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/execute/integer_executor.h"

namespace ap::nn {

namespace {

/// Calls visit(i, value / scale rounded) for every value of the image.
template <typename Visit>
void for_each_rounded(const QuantisedNetwork& network, std::span<const float> image, Visit visit) {
  const QNode& node = network.nodes.front();
  if (static_cast<std::int64_t>(image.size()) != node.shape.size()) {
    fail_input("the image has {} values; network '{}' takes {}", image.size(), network.name,
               node.shape.size());
  }
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double v = std::round(double{image[i]} / node.scale);
    if (std::isnan(v)) fail_input("value {} of the image is not a number", i);
    visit(i, v);
  }
}

}  // namespace

std::vector<std::int32_t> quantise_input(const QuantisedNetwork& network, std::span<const float> image) {
  const QNode& node = network.nodes.front();
  std::vector<std::int32_t> out(image.size());
  for_each_rounded(network, image, [&](std::size_t i, double v) {
    out[i] = static_cast<std::int32_t>(
        std::clamp(v, static_cast<double>(node.low), static_cast<double>(node.high)));
  });
  return out;
}

std::size_t saturated_values(const QuantisedNetwork& network, std::span<const float> image) {
  const QNode& node = network.nodes.front();
  std::size_t count = 0;
  // The end of a range may be rounded to one step beyond.
  for_each_rounded(network, image, [&](std::size_t, double v) {
    if (v < static_cast<double>(node.low) - 1 || v > static_cast<double>(node.high) + 1) ++count;
  });
  return count;
}

}  // namespace ap::nn

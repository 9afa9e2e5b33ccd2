#include "nn/quantise/quantise_statistics.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/float_executor.h"

namespace ap::nn {
namespace {

constexpr std::size_t kSamplesPerNode = std::size_t{1} << 16;

NodeStatistics observe_tensor(const Tensor& tensor, std::size_t samples, std::size_t image) {
  NodeStatistics s;
  const std::size_t size = tensor.data.size();
  const auto [low, high] = std::minmax_element(tensor.data.begin(), tensor.data.end());
  s.low = *low;
  s.high = *high;
  const std::size_t step = std::max<std::size_t>(1, size / samples);
  // Each image starts elsewhere, so that the subset does not favour some channels or places.
  for (std::size_t i = image * 7919 % step; i < size; i += step) s.samples.push_back(tensor.data[i]);
  const std::size_t plane = size / static_cast<std::size_t>(tensor.shape.c);
  for (std::size_t c = 0; c < static_cast<std::size_t>(tensor.shape.c); ++c) {
    double sum = 0, square = 0;
    const auto [least, most] =
        std::minmax_element(tensor.data.begin() + static_cast<std::ptrdiff_t>(c * plane),
                            tensor.data.begin() + static_cast<std::ptrdiff_t>((c + 1) * plane));
    s.channel_low.push_back(*least);
    s.channel_high.push_back(*most);
    for (std::size_t i = c * plane; i < (c + 1) * plane; ++i) {
      sum += tensor.data[i];
      square += double{tensor.data[i]} * tensor.data[i];
    }
    s.channel_mean.push_back(sum / static_cast<double>(plane));
    s.channel_square.push_back(square / static_cast<double>(plane));
  }
  return s;
}

void merge(NodeStatistics& all, NodeStatistics&& one, double weight) {
  if (all.samples.empty()) {
    all.low = one.low;
    all.high = one.high;
    all.channel_low = one.channel_low;
    all.channel_high = one.channel_high;
    all.channel_mean.assign(one.channel_mean.size(), 0);
    all.channel_square.assign(one.channel_square.size(), 0);
  }
  all.low = std::min(all.low, one.low);
  all.high = std::max(all.high, one.high);
  all.samples.insert(all.samples.end(), one.samples.begin(), one.samples.end());
  for (std::size_t c = 0; c < one.channel_mean.size(); ++c) {
    all.channel_low[c] = std::min(all.channel_low[c], one.channel_low[c]);
    all.channel_high[c] = std::max(all.channel_high[c], one.channel_high[c]);
    all.channel_mean[c] += weight * one.channel_mean[c];
    all.channel_square[c] += weight * one.channel_square[c];
  }
}

}  // namespace

std::vector<NodeStatistics> observe(const Graph& graph, std::span<const Tensor> images) {
  if (images.empty()) fail_input("calibration of network '{}' needs at least one image", graph.name);
  const std::size_t samples = std::max<std::size_t>(64, kSamplesPerNode / images.size());
  std::vector<std::vector<NodeStatistics>> per_image(images.size());
  parallel_for(images.size(), [&](std::size_t n) {
    for (const Tensor& tensor : run(graph, images[n])) {
      per_image[n].push_back(observe_tensor(tensor, samples, n));
    }
  });
  std::vector<NodeStatistics> all(graph.nodes.size());
  for (auto& image : per_image) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      merge(all[i], std::move(image[i]), 1.0 / static_cast<double>(images.size()));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    double total = 0;
    for (double square : all[i].channel_square) total += square;
    if (!std::isfinite(total)) {
      fail_input("node '{}': its values on the calibration images are not finite", graph.nodes[i].name);
    }
  }
  return all;
}

}  // namespace ap::nn

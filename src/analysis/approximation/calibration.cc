#include "analysis/approximation/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/parallel.h"

namespace ap::approximation {
namespace {

struct Moments {
  double sum = 0, squares = 0, count = 0;
  float low = std::numeric_limits<float>::infinity(), high = -low;

  void add(std::span<const float> values) {
    for (const float v : values) {
      sum += double{v};
      squares += double{v} * double{v};
      low = std::min(low, v);
      high = std::max(high, v);
    }
    count += static_cast<double>(values.size());
  }
  void add(const Moments& other) {
    sum += other.sum;
    squares += other.squares;
    count += other.count;
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
};

// By node, so that a visitor finds its place.
template <typename T>
using ByNode = std::vector<T>;

class MomentVisitor : public Visitor {
 public:
  explicit MomentVisitor(std::size_t nodes) : moments(nodes) {}
  void input(std::size_t, int node, std::span<const float> values) override {
    moments[static_cast<std::size_t>(node)].add(values);
  }
  void output(std::size_t, int, std::span<float>) override {}
  ByNode<Moments> moments;
};

class HistogramVisitor : public Visitor {
 public:
  HistogramVisitor(const ByNode<Moments>& moments, std::size_t nodes) : moments_(moments), counts(nodes) {}
  void input(std::size_t, int node, std::span<const float> values) override {
    const Moments& m = moments_[static_cast<std::size_t>(node)];
    std::vector<std::uint64_t>& to = counts[static_cast<std::size_t>(node)];
    to.resize(InputDistribution::kBins);
    const float factor = static_cast<float>(InputDistribution::kBins) / std::max(m.high - m.low, 1e-30F);
    for (const float v : values) {
      const auto bin = static_cast<std::size_t>((v - m.low) * factor);
      ++to[std::min(bin, InputDistribution::kBins - 1)];
    }
  }
  void output(std::size_t, int, std::span<float>) override {}

 private:
  const ByNode<Moments>& moments_;

 public:
  ByNode<std::vector<std::uint64_t>> counts;
};

std::size_t chunks_of(const ClearNetwork& network, std::span<const float> images) {
  const auto in = static_cast<std::size_t>(network.graph().input_shape().size());
  if (images.empty()) fail_input("no images to calibrate the network {} with", network.graph().name);
  return (images.size() / in + ClearNetwork::kChunk - 1) / ClearNetwork::kChunk;
}

}  // namespace

double InputDistribution::deviation() const { return std::sqrt(variance); }

double InputDistribution::largest() const { return std::max(std::abs(low), std::abs(high)); }

double InputDistribution::beyond(double x) const {
  double outside = 0, all = 0;
  const double width = (high - low) / static_cast<double>(kBins);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double left = low + width * static_cast<double>(i);
    all += static_cast<double>(counts[i]);
    if (left >= x || left + width <= -x) outside += static_cast<double>(counts[i]);
  }
  return all > 0 ? outside / all : 0;
}

std::vector<InputDistribution> input_distributions(const ClearNetwork& network,
                                                   std::span<const float> images) {
  const std::size_t chunks = chunks_of(network, images), nodes = network.graph().nodes.size();
  std::vector<std::unique_ptr<MomentVisitor>> first(chunks);
  network.logits(images, [&](std::size_t chunk) {
    first[chunk] = std::make_unique<MomentVisitor>(nodes);
    return first[chunk].get();
  });
  ByNode<Moments> moments(nodes);
  for (const auto& visitor : first) {
    for (std::size_t i = 0; i < nodes; ++i) moments[i].add(visitor->moments[i]);
  }
  for (const int node : network.activations()) {
    const Moments& m = moments[static_cast<std::size_t>(node)];
    if (!std::isfinite(m.squares) || !std::isfinite(m.high - m.low)) {
      fail_input("node {}: its inputs on the calibration images are not finite",
                 network.graph().nodes[static_cast<std::size_t>(node)].name);
    }
  }
  std::vector<std::unique_ptr<HistogramVisitor>> second(chunks);
  network.logits(images, [&](std::size_t chunk) {
    second[chunk] = std::make_unique<HistogramVisitor>(moments, nodes);
    return second[chunk].get();
  });
  std::vector<InputDistribution> result;
  for (const int node : network.activations()) {
    const Moments& m = moments[static_cast<std::size_t>(node)];
    InputDistribution d;
    d.node = node;
    d.mean = m.sum / m.count;
    d.variance = std::max(0.0, m.squares / m.count - d.mean * d.mean);
    d.low = double{m.low};
    d.high = double{m.high};
    d.counts.assign(InputDistribution::kBins, 0);
    for (const auto& visitor : second) {
      const std::vector<std::uint64_t>& counts = visitor->counts[static_cast<std::size_t>(node)];
      for (std::size_t i = 0; i < counts.size(); ++i) d.counts[i] += counts[i];
    }
    result.push_back(std::move(d));
  }
  return result;
}

std::vector<double> largest_values(const ClearNetwork& network, std::span<const float> images) {
  const auto in = static_cast<std::size_t>(network.graph().input_shape().size());
  const std::size_t chunks = chunks_of(network, images), nodes = network.graph().nodes.size();
  std::vector<std::vector<float>> found(chunks, std::vector<float>(nodes));
  parallel_for(chunks, [&](std::size_t chunk) {
    ClearNetwork::Memory memory;
    const std::size_t end = std::min(images.size() / in, (chunk + 1) * ClearNetwork::kChunk);
    for (std::size_t n = chunk * ClearNetwork::kChunk; n < end; ++n) {
      network.forward(n, images.subspan(n * in, in), memory);
      for (std::size_t i = 0; i < nodes; ++i) {
        for (const float v : memory.values[i]) found[chunk][i] = std::max(found[chunk][i], std::abs(v));
      }
    }
  });
  std::vector<double> result(nodes);
  for (const std::vector<float>& part : found) {
    for (std::size_t i = 0; i < nodes; ++i) result[i] = std::max(result[i], double{part[i]});
  }
  return result;
}

}  // namespace ap::approximation

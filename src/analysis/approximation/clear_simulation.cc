#include "analysis/approximation/clear_simulation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "analysis/approximation/clear_kernels.h"
#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels.h"
#include "base/error.h"
#include "nn/data/accuracy.h"

namespace ap::approximation {
namespace {

constexpr std::uint64_t kPurpose = 0x706f6c79;  // apart from other draws of one seed

class Watcher : public Visitor {
 public:
  Watcher(const ClearNetwork& network, std::span<const double> bounds, std::span<const double> deviations,
          std::uint64_t seed)
      : nodes_(network.activations()),
        bounds_(bounds),
        deviations_(deviations),
        seed_(seed),
        counts(nodes_.size()),
        largest(nodes_.size()) {}

  void input(std::size_t, int node, std::span<const float> values) override {
    const std::size_t i = index_of(node);
    if (bounds_.empty()) return;
    counts[i] +=
        clear_kernels().outside(values.size(), values.data(), static_cast<float>(bounds_[i]), largest[i]);
    // What is no number is not larger than anything, but every later comparison is lost with it.
    if (counts[i] > 0 && std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); }))
      largest[i] = std::numeric_limits<float>::infinity();
  }

  void output(std::size_t image, int node, std::span<float> values) override {
    const std::size_t i = index_of(node);
    if (deviations_.empty() || deviations_[i] == 0) return;
    const noise::NormalPolynomials& normal = noise::NormalPolynomials::instance();
    const auto deviation = static_cast<float>(deviations_[i]);
    const std::uint64_t key = noise::counter_key(seed_, image, static_cast<std::uint64_t>(node), kPurpose);
    for (std::size_t k = 0; k < values.size(); k += 2) {
      const std::uint64_t bits = noise::counter_bits(key, k / 2);
      values[k] += deviation * normal(static_cast<std::uint32_t>(bits));
      if (k + 1 < values.size()) values[k + 1] += deviation * normal(static_cast<std::uint32_t>(bits >> 32));
    }
  }

 private:
  std::size_t index_of(int node) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(nodes_, node) - nodes_.begin());
  }
  const std::vector<int>& nodes_;
  std::span<const double> bounds_, deviations_;
  std::uint64_t seed_;

 public:
  std::vector<std::uint64_t> counts;
  std::vector<float> largest;
};

// Logits, and what was watched added up.
std::vector<float> watched(const ClearNetwork& network, std::span<const float> images,
                           std::span<const double> bounds, std::span<const double> deviations,
                           std::uint64_t seed, std::vector<Overflow>& overflows) {
  const auto in = static_cast<std::size_t>(network.graph().input_shape().size());
  std::vector<std::unique_ptr<Watcher>> watchers(images.size() / in / ClearNetwork::kChunk + 1);
  std::vector<float> logits = network.logits(images, [&](std::size_t chunk) {
    watchers[chunk] = std::make_unique<Watcher>(network, bounds, deviations, seed);
    return watchers[chunk].get();
  });
  overflows.assign(bounds.size(), {});
  for (const auto& watcher : watchers) {
    for (std::size_t i = 0; watcher && i < bounds.size(); ++i) {
      overflows[i].outside += watcher->counts[i];
      overflows[i].largest_ratio =
          std::max(overflows[i].largest_ratio, double{watcher->largest[i]} / bounds[i]);
    }
  }
  return logits;
}

ClearResult result_of(const std::vector<float>& logits, const nn::Graph& graph, std::span<const int> labels) {
  ClearResult result;
  result.predictions = nn::predictions<float>(logits, static_cast<std::size_t>(graph.output_shape().size()));
  result.images = result.predictions.size();
  if (!labels.empty()) result.top1 = nn::top1(result.predictions, labels);
  return result;
}

}  // namespace

std::uint64_t ClearResult::outside() const {
  std::uint64_t sum = 0;
  for (const Overflow& o : overflows) sum += o.outside;
  return sum;
}

double ClearResult::largest_ratio() const {
  double most = 0;
  for (const Overflow& o : overflows) most = std::max(most, o.largest_ratio);
  return most;
}

ClearResult simulate(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations,
                     std::span<const float> images, std::span<const int> labels,
                     const SimulationOptions& options) {
  const ClearNetwork network(graph, activations);
  std::vector<double> bounds, deviations;
  for (const plan::ApproximateActivation& a : activations) {
    bounds.push_back(a.bound);
    deviations.push_back(a.bound * options.noise);
  }
  std::vector<Overflow> overflows;
  const std::vector<float> logits = watched(network, images, bounds, deviations, options.seed, overflows);
  ClearResult result = result_of(logits, graph, labels);
  result.overflows = std::move(overflows);
  return result;
}

ClearResult simulate(const nn::Graph& graph, std::span<const float> images, std::span<const int> labels) {
  return result_of(ClearNetwork(graph).logits(images), graph, labels);
}

void refuse_overflow(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations,
                     const ClearResult& result, double margin) {
  AP_ASSERT(result.overflows.size() == activations.size());
  for (std::size_t i = 0; i < activations.size(); ++i) {
    const Overflow& o = result.overflows[i];
    if (o.outside == 0 && o.largest_ratio * margin <= 1) continue;
    fail_input(
        "node {}: values in the clear reach {:.3g} times the end of their interval, {:.4g} ({} of them are "
        "outside), where {:.3g} is allowed: they would be lost on ciphertexts; calibrate with more images, "
        "widen the intervals, or use higher degrees",
        graph.nodes[static_cast<std::size_t>(activations[i].node)].name, o.largest_ratio,
        activations[i].bound, o.outside, 1 / margin);
  }
}

std::vector<float> noisy_logits(const ClearNetwork& network, std::span<const float> images,
                                std::span<const double> deviations, std::uint64_t seed) {
  AP_ASSERT(deviations.size() == network.activations().size());
  std::vector<Overflow> ignored;
  return watched(network, images, {}, deviations, seed, ignored);
}

}  // namespace ap::approximation

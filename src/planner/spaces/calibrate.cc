#include "planner/spaces/calibrate.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/integer_executor.h"

namespace ap::plan {
namespace {

// Exceedances from which a tail is estimated, and how many of them one image may contribute: an unusual image
// has many large values at once.
constexpr std::size_t kExceedances = 512;
constexpr std::size_t kFromOneImage = 16;

std::vector<bool> observed_nodes(const nn::QuantisedNetwork& network) {
  std::vector<bool> observed(network.nodes.size());
  observed.back() = true;
  for (const nn::QNode& node : network.nodes) {
    if (!nn::is_activation(node.op)) continue;
    for (const int input : node.inputs) observed[static_cast<std::size_t>(input)] = true;
  }
  return observed;
}

/// The largest values of sign * x of one image.
void collect(std::span<const std::int32_t> values, int sign, std::vector<double>& into) {
  std::vector<double> top(values.size());
  std::ranges::transform(values, top.begin(), [&](std::int32_t v) { return static_cast<double>(v) * sign; });
  const std::size_t keep = std::min(kFromOneImage, top.size());
  std::partial_sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(keep), top.end(),
                    std::greater<>());
  into.insert(into.end(), top.begin(), top.begin() + static_cast<std::ptrdiff_t>(keep));
}

Tail tail_of(std::vector<double> values, std::size_t images) {
  std::ranges::sort(values, std::greater<>());
  // A tenth of what was kept lies safely above the level at which images were cut off.
  const std::size_t k = std::clamp<std::size_t>(values.size() / 10, 1, std::min(kExceedances, values.size()));
  Tail tail;
  tail.largest = values.front();
  tail.threshold = values[k - 1];
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += values[i] - tail.threshold;
  tail.mean_excess = sum / static_cast<double>(k);
  tail.rate = static_cast<double>(k) / static_cast<double>(images);
  return tail;
}

}  // namespace

double Tail::bound(double log2_probability) const {
  const double beyond = mean_excess * std::max(std::log(rate) - log2_probability * std::numbers::ln2, 0.0);
  return std::max(threshold + beyond, largest + std::abs(largest) / 8);
}

std::vector<NodeTails> observe_tails(const nn::QuantisedNetwork& network,
                                     std::span<const std::int32_t> images) {
  const auto pixels = static_cast<std::size_t>(network.input_shape().size());
  const std::size_t count = images.size() / pixels;
  if (count == 0) fail_input("calibrated moduli need at least one image");
  const std::vector<bool> observed = observed_nodes(network);
  const nn::IntegerExecutor executor(network);
  struct Collected {
    std::vector<double> low, high;
  };
  std::vector<Collected> collected(network.nodes.size());
  std::mutex mutex;
  parallel_for(count, [&](std::size_t i) {
    std::vector<Collected> mine(network.nodes.size());
    nn::IntegerHooks hooks;
    hooks.after_node = [&](int node, std::span<std::int32_t> values) {
      const auto at = static_cast<std::size_t>(node);
      if (!observed[at]) return;
      collect(values, -1, mine[at].low);
      collect(values, 1, mine[at].high);
    };
    executor.logits(images.subspan(i * pixels, pixels), hooks);
    const std::lock_guard lock(mutex);
    for (std::size_t n = 0; n < mine.size(); ++n) {
      collected[n].low.insert(collected[n].low.end(), mine[n].low.begin(), mine[n].low.end());
      collected[n].high.insert(collected[n].high.end(), mine[n].high.begin(), mine[n].high.end());
    }
  });
  std::vector<NodeTails> tails(network.nodes.size());
  for (std::size_t n = 0; n < tails.size(); ++n) {
    if (observed[n])
      tails[n] = {tail_of(std::move(collected[n].low), count), tail_of(std::move(collected[n].high), count)};
  }
  return tails;
}

std::vector<nn::Interval> calibrated_ranges(const nn::QuantisedNetwork& network,
                                            std::span<const NodeTails> tails, double overflow_log2) {
  AP_ASSERT(tails.size() == network.nodes.size());
  double sides = 0;
  for (const NodeTails& t : tails) sides += t.high.rate > 0 ? 2 : 0;
  const double each = overflow_log2 - std::log2(std::max(sides, 1.0));
  std::vector<nn::Interval> ranges;
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    nn::Interval range{node.low, node.high};
    if (tails[i].high.rate > 0) {
      range.low = std::max(range.low, -static_cast<std::int64_t>(std::ceil(tails[i].low.bound(each))));
      range.high = std::min(range.high, static_cast<std::int64_t>(std::ceil(tails[i].high.bound(each))));
      if (range.low > range.high) range = {node.low, node.high};
    }
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace ap::plan

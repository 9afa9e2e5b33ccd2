#include "planner/search/margin_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/integer_executor.h"
#include "planner/search/backward.h"
#include "planner/spaces/assemble.h"

namespace ap::search {
namespace {

/// Indices of the two largest.
std::pair<std::size_t, std::size_t> best_two(std::span<const std::int32_t> logits) {
  std::size_t first = 0, second = 1;
  if (logits[1] > logits[0]) std::swap(first, second);
  for (std::size_t i = 2; i < logits.size(); ++i) {
    if (logits[i] > logits[first]) {
      second = first, first = i;
    } else if (logits[i] > logits[second]) {
      second = i;
    }
  }
  return {first, second};
}

}  // namespace

MarginModel::MarginModel(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                         std::size_t count) {
  const std::vector<int> linears = plan::linear_nodes(network);
  const auto pixels = static_cast<std::size_t>(network.input_shape().size());
  count = std::min(count, images.size() / pixels);
  if (count == 0) fail_input("sensitivities need at least one image");
  if (network.output_shape().size() < 2) {
    fail_input("network '{}' has one output: without classes there is no margin to lose", network.name);
  }
  layers_ = linears.size();
  margins_.resize(count);
  powers_.resize(count * layers_);
  const nn::IntegerExecutor executor(network);
  parallel_for(count, [&](std::size_t n) {
    const auto exact = executor.run(images.subspan(n * pixels, pixels));
    const auto [best, second] = best_two(exact.back());
    std::vector<std::vector<float>> values;
    for (const auto& v : exact) values.emplace_back(v.begin(), v.end());
    std::vector<float> gradient(exact.back().size());
    gradient[best] = 1;
    gradient[second] = -1;
    margins_[n] = exact.back()[best] - exact.back()[second];
    const auto gradients = backward(network, values, gradient);
    for (std::size_t i = 0; i < layers_; ++i) {
      double sum = 0;
      for (const float g : gradients[static_cast<std::size_t>(linears[i])]) sum += double{g} * g;
      powers_[n * layers_ + i] = sum;
    }
  });
}

double MarginModel::expected_changes(std::span<const double> variances) const {
  AP_ASSERT(variances.size() == layers_);
  double sum = 0;
  for (std::size_t n = 0; n < images(); ++n) {
    double variance = 0;
    for (std::size_t i = 0; i < layers_; ++i) variance += power(n, i) * variances[i];
    if (variance > 0) sum += std::erfc(margins_[n] / std::sqrt(2 * variance)) / 2;
  }
  return sum / static_cast<double>(images());
}

std::vector<double> MarginModel::sensitivities(std::span<const double> variances) const {
  AP_ASSERT(variances.size() == layers_);
  std::vector<double> slopes(layers_, 0);
  for (std::size_t n = 0; n < images(); ++n) {
    double variance = 0;
    for (std::size_t i = 0; i < layers_; ++i) variance += power(n, i) * variances[i];
    if (variance <= 0) continue;
    // d/dv erfc(m / sqrt(2 v)) / 2 = m exp(-m^2 / 2v) / (2 sqrt(2 pi) v^1.5). A tie counts like a margin of
    // one.
    const double m = std::max(margins_[n], 1.0);
    const double slope = m * std::exp(-m * m / (2 * variance)) /
                         (2 * std::sqrt(2 * std::numbers::pi) * variance * std::sqrt(variance));
    for (std::size_t i = 0; i < layers_; ++i) slopes[i] += slope * power(n, i);
  }
  for (double& s : slopes) s /= static_cast<double>(images());
  return slopes;
}

}  // namespace ap::search

#include "nn/quantise/scale_input.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool reads_input(const Node& node) {
  return std::find(node.inputs.begin(), node.inputs.end(), 0) != node.inputs.end();
}

/// Divides weights[outputs][channels / groups][taps] by the factor of the channel that each reads.
void divide(std::vector<float>& weights, std::size_t outputs, int groups, std::span<const double> factors) {
  const std::size_t each = factors.size() / at(groups), taps = weights.size() / outputs / each;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const std::size_t o = k / (taps * each), first = o / (outputs / at(groups)) * each;
    weights[k] = static_cast<float>(weights[k] / factors[first + k / taps % each]);
  }
}

}  // namespace

std::vector<double> input_factors(const Graph& graph, std::span<const Tensor> images) {
  const auto channels = at(graph.input_shape().c);
  const std::vector<double> none(channels, 1);
  for (const Node& node : graph.nodes) {
    const bool linear = std::holds_alternative<ConvOp>(node.op) ||
                        std::holds_alternative<AffineOp>(node.op) ||
                        std::holds_alternative<FullyConnectedOp>(node.op);
    if (reads_input(node) && !linear) return none;
  }
  std::vector<double> reach(channels, 0);
  for (const Tensor& image : images) {
    const std::size_t plane = image.data.size() / channels;
    for (std::size_t k = 0; k < image.data.size(); ++k) {
      reach[k / plane] = std::max(reach[k / plane], std::abs(double{image.data[k]}));
    }
  }
  const double largest = *std::max_element(reach.begin(), reach.end());
  constexpr double kLargestFactor = 1 << 20;
  std::vector<double> factors;
  for (double r : reach) factors.push_back(r > largest / kLargestFactor ? largest / r : 1);
  return *std::max_element(factors.begin(), factors.end()) < 2 ? none : factors;
}

void scale_input(Graph& graph, std::span<const double> factors) {
  AP_ASSERT(factors.size() == at(graph.input_shape().c));
  for (Node& node : graph.nodes) {
    if (!reads_input(node)) continue;
    if (auto* conv = std::get_if<ConvOp>(&node.op)) {
      divide(conv->weights, conv->bias.size(), conv->groups, factors);
    } else if (auto* full = std::get_if<FullyConnectedOp>(&node.op)) {
      divide(full->weights, full->bias.size(), 1, factors);
    } else if (auto* affine = std::get_if<AffineOp>(&node.op)) {
      for (std::size_t c = 0; c < factors.size(); ++c) {
        affine->scale[c] = static_cast<float>(affine->scale[c] / factors[c]);
      }
    }
  }
}

}  // namespace ap::nn

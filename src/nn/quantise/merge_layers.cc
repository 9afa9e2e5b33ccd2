#include "nn/quantise/merge_layers.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool is_pointwise(const ConvOp& op) {
  return op.window.kernel_h == 1 && op.window.kernel_w == 1 && op.window.pad == Padding{};
}

/// Multiplies channel c of what `weights` read by first.weights[c], and adds first.bias to it.
/// weights[outputs][channels / groups][taps].
void scale_inputs(const ConvOp& first, int channels, int groups, std::vector<float>& weights,
                  std::vector<float>& bias) {
  const std::size_t outputs = bias.size(), each = at(channels / groups),
                    taps = weights.size() / outputs / each;
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t begin = o / (outputs / at(groups)) * each;
    double sum = double{bias[o]};
    for (std::size_t i = 0; i < each; ++i) {
      for (std::size_t k = 0; k < taps; ++k) {
        float& w = weights[(o * each + i) * taps + k];
        sum += double{w} * first.bias[begin + i];
        w *= first.weights[begin + i];
      }
    }
    bias[o] = static_cast<float>(sum);
  }
}

/// A 1x1 convolution over all channels after `first`, which is over all channels or depthwise.
ConvOp combined(const ConvOp& first, int channels_in, int middle, const ConvOp& second) {
  ConvOp out;
  out.window = first.window;
  out.window.stride_h *= second.window.stride_h;
  out.window.stride_w *= second.window.stride_w;
  const bool depthwise = first.groups > 1;
  const std::size_t outputs = second.bias.size(), inputs = at(channels_in), between = at(middle),
                    taps = first.weights.size() / between / (depthwise ? 1 : inputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    std::vector<double> sums(inputs * taps, 0);
    double bias = second.bias[o];
    for (std::size_t m = 0; m < between; ++m) {
      const double p = second.weights[o * between + m];
      bias += p * first.bias[m];
      const std::size_t count = depthwise ? taps : inputs * taps, to = depthwise ? m * taps : 0;
      for (std::size_t k = 0; k < count; ++k) sums[to + k] += p * first.weights[m * count + k];
    }
    out.weights.insert(out.weights.end(), sums.begin(), sums.end());
    out.bias.push_back(static_cast<float>(bias));
  }
  return out;
}

}  // namespace

std::optional<Op> merged(const ConvOp& first, const Shape& in, const Node& first_node, const Node& second) {
  const int middle = first_node.shape.c;
  const bool depthwise = first.groups == in.c && first.groups == middle;
  const bool scaling = depthwise && is_pointwise(first) && first.window == Window{};
  if (const auto* full = std::get_if<FullyConnectedOp>(&second.op)) {
    if (!scaling) return {};
    FullyConnectedOp out = *full;
    scale_inputs(first, middle, 1, out.weights, out.bias);
    return out;
  }
  const auto* conv = std::get_if<ConvOp>(&second.op);
  if (!conv) return {};
  const bool no_bias = std::all_of(first.bias.begin(), first.bias.end(), [](float b) { return b == 0; });
  if (scaling && (conv->window.pad == Padding{} || no_bias)) {
    ConvOp out = *conv;
    scale_inputs(first, middle, conv->groups, out.weights, out.bias);
    return out;
  }
  if (!is_pointwise(*conv)) return {};
  if (conv->groups == middle && second.shape.c == middle) {  // scales the first one's outputs
    ConvOp out = first;
    out.window.stride_h *= conv->window.stride_h;
    out.window.stride_w *= conv->window.stride_w;
    const std::size_t each = out.weights.size() / at(middle);
    for (std::size_t k = 0; k < out.weights.size(); ++k) out.weights[k] *= conv->weights[k / each];
    for (std::size_t o = 0; o < out.bias.size(); ++o) {
      out.bias[o] = out.bias[o] * conv->weights[o] + conv->bias[o];
    }
    return out;
  }
  if (conv->groups != 1 || !(depthwise || first.groups == 1)) return {};
  constexpr double kMorePairs = 1.25;
  const double pairs = double{1} * in.c * second.shape.c;
  const double before =
      double{1} * middle * second.shape.c + (depthwise ? middle : double{1} * in.c * middle);
  if (pairs > kMorePairs * before) return {};
  return combined(first, in.c, middle, *conv);
}

}  // namespace ap::nn

// Passes on scaling and shifting, and on layers that can be one.
#include <algorithm>

#include "nn/onnx/simplifier.h"

namespace ap::nn {
namespace {

/// `channel(o, k)` is the input channel that weight k of output o multiplies.
template <typename Channel>
void scale_inputs(std::vector<float>& weights, std::vector<float>& bias, std::size_t per_output,
                  Channel channel, const AffineOp& affine) {
  for (std::size_t o = 0; o < bias.size(); ++o) {
    double sum = bias[o];
    for (std::size_t k = 0; k < per_output; ++k) {
      float& w = weights[o * per_output + k];
      const std::size_t c = channel(o, k);
      sum += static_cast<double>(w) * static_cast<double>(affine.shift[c]);
      w = static_cast<float>(static_cast<double>(w) * static_cast<double>(affine.scale[c]));
    }
    bias[o] = static_cast<float>(sum);
  }
}

/// affine(W x + b) = (scale W) x + (scale b + shift).
void apply_to_outputs(Op& op, const AffineOp& affine) {
  const auto apply = [&](std::vector<float>& weights, std::vector<float>& bias) {
    const std::size_t per_output = weights.size() / bias.size();
    for (std::size_t o = 0; o < bias.size(); ++o) {
      const double scale = affine.scale[o], shift = affine.shift[o];
      for (std::size_t k = 0; k < per_output; ++k) {
        float& w = weights[o * per_output + k];
        w = static_cast<float>(scale * static_cast<double>(w));
      }
      bias[o] = static_cast<float>(scale * static_cast<double>(bias[o]) + shift);
    }
  };
  if (auto* conv = std::get_if<ConvOp>(&op)) apply(conv->weights, conv->bias);
  if (auto* fc = std::get_if<FullyConnectedOp>(&op)) apply(fc->weights, fc->bias);
}

/// Whether the affine node multiplies all by one positive number.
bool is_factor(const AffineOp& affine) {
  const float factor = affine.scale.front();
  return factor > 0 &&
         std::all_of(affine.scale.begin(), affine.scale.end(), [&](float s) { return s == factor; }) &&
         std::all_of(affine.shift.begin(), affine.shift.end(), [](float s) { return s == 0; });
}

}  // namespace

/// Scaling and shifting of a layer's outputs is done by its weights and bias.
void Simplifier::fold_affine_backward(int i) {
  const auto* affine = std::get_if<AffineOp>(&nodes_[at(i)].op);
  if (!affine) return;
  const int target = nodes_[at(i)].inputs[0];
  Node& layer = nodes_[at(target)];
  if (!(layer.shape == nodes_[at(i)].shape)) return;
  const bool is_layer =
      std::holds_alternative<ConvOp>(layer.op) || std::holds_alternative<FullyConnectedOp>(layer.op);
  if (readers_[at(target)] != 1) {
    // Others read the layer as it is: this one becomes a layer of its own, which is less work than a layer behind it.
    if (!is_layer || is_factor(*affine)) return;
    const AffineOp kept = *affine;
    nodes_[at(i)].op = layer.op;
    nodes_[at(i)].inputs = layer.inputs;
    apply_to_outputs(nodes_[at(i)].op, kept);
    --readers_[at(target)];
    ++readers_[at(layer.inputs[0])];
    return;
  }
  if (is_layer) {
    apply_to_outputs(layer.op, *affine);
  } else if (auto* before = std::get_if<AffineOp>(&layer.op)) {
    for (std::size_t c = 0; c < before->scale.size(); ++c) {
      const double scale = affine->scale[c];
      before->scale[c] = static_cast<float>(scale * static_cast<double>(before->scale[c]));
      before->shift[c] = static_cast<float>(scale * static_cast<double>(before->shift[c]) +
                                            static_cast<double>(affine->shift[c]));
    }
  } else {
    return;
  }
  readers_[at(target)] = readers_[at(i)];
  replace(i, target);
}

/// W (scale x + shift) + b = (W scale) x + (W shift + b). Zero padding stands for x = 0, not for the shift,
/// so a padded convolution allows it only without a shift.
void Simplifier::absorb_affine_input(int i) {
  Node& node = nodes_[at(i)];
  if (node.inputs.empty()) return;
  const auto* affine = std::get_if<AffineOp>(&source(node).op);
  if (!affine) return;
  const Shape& in = source(node).shape;
  if (auto* conv = std::get_if<ConvOp>(&node.op)) {
    const bool shifts =
        std::any_of(affine->shift.begin(), affine->shift.end(), [](float s) { return s != 0; });
    if (shifts && !(conv->window.pad == Padding{})) return;
    const std::size_t taps = at(conv->window.kernel_h) * at(conv->window.kernel_w);
    const std::size_t c_in = at(in.c / conv->groups), c_out = at(node.shape.c / conv->groups);
    scale_inputs(
        conv->weights, conv->bias, c_in * taps,
        [&](std::size_t o, std::size_t k) { return o / c_out * c_in + k / taps; }, *affine);
  } else if (auto* fc = std::get_if<FullyConnectedOp>(&node.op)) {
    const std::size_t plane = at(in.h) * at(in.w);
    scale_inputs(
        fc->weights, fc->bias, static_cast<std::size_t>(in.size()),
        [&](std::size_t, std::size_t k) { return k / plane; }, *affine);
  } else {
    return;
  }
  node.inputs[0] = source(node).inputs[0];
}

/// One factor for all costs nothing as that of a mean over one element (AveragePoolOp::factor).
void Simplifier::turn_into_factor(int i) {
  Node& node = nodes_[at(i)];
  const auto* affine = std::get_if<AffineOp>(&node.op);
  if (!affine || !is_factor(*affine)) return;
  const float factor = affine->scale.front();
  auto* mean = std::get_if<AveragePoolOp>(&source(node).op);
  if (mean && readers_[at(node.inputs[0])] == 1 && source(node).shape == node.shape) {
    mean->factor *= factor;
    replace(i, node.inputs[0]);
    return;
  }
  node.op = AveragePoolOp{Window{}, true, factor};
}

/// Fully connected layers of one input whose outputs are only joined are one layer.
void Simplifier::merge_heads(int i) {
  Node& node = nodes_[at(i)];
  if (!std::holds_alternative<ConcatOp>(node.op) || node.inputs.size() < 2) return;
  FullyConnectedOp all;
  const int input = nodes_[at(node.inputs[0])].inputs.empty() ? -1 : nodes_[at(node.inputs[0])].inputs[0];
  for (const int head : node.inputs) {
    const auto* layer = std::get_if<FullyConnectedOp>(&nodes_[at(head)].op);
    if (!layer || readers_[at(head)] != 1 || nodes_[at(head)].inputs[0] != input) return;
    all.weights.insert(all.weights.end(), layer->weights.begin(), layer->weights.end());
    all.bias.insert(all.bias.end(), layer->bias.begin(), layer->bias.end());
  }
  node.op = std::move(all);
  node.inputs = {input};
}

}  // namespace ap::nn

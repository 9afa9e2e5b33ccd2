#include "train/float_forward.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace ap::train {
namespace {

constexpr double kStatisticsMomentum = 0.1;

at::Tensor clip(const at::Tensor& x, const nn::ClipOp& op) {
  if (op.low == 0 && std::isinf(op.high)) return at::relu(x);
  return at::clamp(x, op.low, op.high);
}

at::Tensor quadratic(const at::Tensor& x, const nn::QuadraticOp& op) {
  return op.c0 + x * (op.c1 + x * op.c2);
}

/// The mean of the elements that are there, without padding.
at::Tensor real_mean(const at::Tensor& x, const nn::Window& window) {
  const at::Tensor count = sum_pool(at::ones({1, 1, x.size(2), x.size(3)}), window, 1);
  return sum_pool(x, window, 1) / count;
}

}  // namespace

FloatForward::FloatForward(const nn::Graph& graph)
    : graph_(graph), gathers_(graph.nodes.size()), last_use_(graph.nodes.size(), graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const nn::Node& node = graph.nodes[i];
    if (const auto* op = std::get_if<nn::GatherOp>(&node.op)) gathers_[i].emplace(op->index);
    if (std::holds_alternative<nn::SmoothOp>(node.op) || std::holds_alternative<nn::ProductOp>(node.op)) {
      fail_input(
          "node '{}' ({}) cannot be trained here yet; train the network elsewhere and compile it, or use ReLU, Clip "
          "or a quadratic activation there",
          node.name, nn::op_name(node.op));
    }
    if (std::holds_alternative<nn::FullyConnectedOp>(node.op)) last_fully_connected_ = i;
    for (const int k : node.inputs) last_use_[static_cast<std::size_t>(k)] = i;
  }
}

at::Tensor FloatForward::operator()(const Parameters& parameters, const at::Tensor& images,
                                    const ForwardMode& mode) const {
  std::vector<at::Tensor> values(graph_.nodes.size());
  values[0] = images;
  for (std::size_t i = 1; i < values.size(); ++i) {
    values[i] = evaluate(i, parameters, values, mode);
    for (const int k : graph_.nodes[i].inputs) {
      if (last_use_[static_cast<std::size_t>(k)] == i) values[static_cast<std::size_t>(k)].reset();
    }
  }
  return values.back().flatten(1);
}

at::Tensor FloatForward::evaluate(std::size_t i, const Parameters& parameters,
                                  const std::vector<at::Tensor>& values, const ForwardMode& mode) const {
  const nn::Node& node = graph_.nodes[i];
  const NodeParameters& p = parameters.nodes[i];
  const auto input = [&](std::size_t k) { return values[static_cast<std::size_t>(node.inputs[k])]; };
  const at::Tensor x = input(0);
  if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) {
    return convolve(x, p.weights, p.bias, conv->window, conv->groups);
  }
  if (std::holds_alternative<nn::FullyConnectedOp>(node.op)) {
    at::Tensor flat = x.flatten(1);
    if (mode.training && mode.dropout > 0 && i == last_fully_connected_)
      flat = at::dropout(flat, mode.dropout, true);
    return at::addmm(p.bias, flat, p.weights.t()).view({x.size(0), node.shape.c, 1, 1});
  }
  if (const auto* op = std::get_if<nn::ClipOp>(&node.op)) {
    if (mode.replaced.empty() || !mode.replaced[i]) return clip(x, *op);
    const at::Tensor poly = quadratic(x, *mode.replaced[i]);
    if (mode.clip_share <= 0) return poly;
    return (1 - mode.clip_share) * poly + mode.clip_share * clip(x, *op);
  }
  if (const auto* op = std::get_if<nn::QuadraticOp>(&node.op)) return quadratic(x, *op);
  if (std::holds_alternative<nn::AddOp>(node.op)) return x + input(1);
  if (std::holds_alternative<nn::AffineOp>(node.op)) {
    if (p.mean.defined()) {
      return at::batch_norm(x, p.weights, p.bias, p.mean, p.variance, mode.training, kStatisticsMomentum,
                            kBatchNormalisationEpsilon, false);
    }
    return x * p.weights.view({1, -1, 1, 1}) + p.bias.view({1, -1, 1, 1});
  }
  if (const auto* op = std::get_if<nn::MaxPoolOp>(&node.op)) return max_pool(x, op->window);
  if (const auto* op = std::get_if<nn::AveragePoolOp>(&node.op)) {
    const bool has_padding = !(op->window.pad == nn::Padding{});
    const at::Tensor mean =
        has_padding && !op->count_include_pad
            ? real_mean(x, op->window)
            : sum_pool(x, op->window, std::int64_t{op->window.kernel_h} * op->window.kernel_w);
    return op->factor == 1 ? mean : mean * double{op->factor};
  }
  if (std::holds_alternative<nn::ConcatOp>(node.op)) {
    std::vector<at::Tensor> parts;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) parts.push_back(input(k));
    return at::cat(parts, 1);
  }
  AP_ASSERT(gathers_[i].has_value());
  return gather(x, *gathers_[i], node.shape);
}

}  // namespace ap::train

#include "train/parameters.h"

#include "base/error.h"

namespace ap::train {
namespace {

at::Tensor leaf(const std::vector<float>& values, at::IntArrayRef sizes, bool trained) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  AP_ASSERT(out.numel() == static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), out.data_ptr<float>());
  return out.requires_grad_(trained);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

Parameters::Parameters(const nn::Graph& graph, bool batch_normalisation) : nodes(graph.nodes.size()) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const nn::Node& node = graph.nodes[i];
    const std::int64_t out = node.shape.c;
    NodeParameters& p = nodes[i];
    if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) {
      const std::int64_t in = graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape.c / conv->groups;
      p.weights = leaf(conv->weights, {out, in, conv->window.kernel_h, conv->window.kernel_w}, true);
      p.bias = leaf(conv->bias, {out}, true);
    } else if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) {
      const std::int64_t in = graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape.size();
      p.weights = leaf(fc->weights, {out, in}, true);
      p.bias = leaf(fc->bias, {out}, true);
    } else if (const auto* affine = std::get_if<nn::AffineOp>(&node.op)) {
      p.weights = leaf(affine->scale, {out}, batch_normalisation);
      p.bias = leaf(affine->shift, {out}, batch_normalisation);
      if (batch_normalisation) {
        p.mean = at::zeros({out});
        p.variance = at::ones({out});
      }
    }
  }
}

std::vector<at::Tensor> Parameters::leaves() const {
  std::vector<at::Tensor> out;
  for (const NodeParameters& p : nodes) {
    for (const at::Tensor& t : {p.weights, p.bias}) {
      if (t.defined() && t.requires_grad()) out.push_back(t);
    }
  }
  return out;
}

std::vector<at::Tensor> Parameters::buffers() const {
  std::vector<at::Tensor> out;
  for (const NodeParameters& p : nodes) {
    if (!p.mean.defined()) continue;
    out.push_back(p.mean);
    out.push_back(p.variance);
  }
  return out;
}

void Parameters::store(nn::Graph& graph) const {
  AP_ASSERT(graph.nodes.size() == nodes.size());
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeParameters& p = nodes[i];
    if (auto* conv = std::get_if<nn::ConvOp>(&graph.nodes[i].op)) {
      conv->weights = values_of(p.weights);
      conv->bias = values_of(p.bias);
    } else if (auto* fc = std::get_if<nn::FullyConnectedOp>(&graph.nodes[i].op)) {
      fc->weights = values_of(p.weights);
      fc->bias = values_of(p.bias);
    } else if (auto* affine = std::get_if<nn::AffineOp>(&graph.nodes[i].op)) {
      at::Tensor scale = p.weights.detach(), shift = p.bias.detach();
      if (p.mean.defined()) {
        scale = scale / at::sqrt(p.variance + kBatchNormalisationEpsilon);
        shift = shift - p.mean * scale;
      }
      affine->scale = values_of(scale);
      affine->shift = values_of(shift);
    }
  }
}

}  // namespace ap::train

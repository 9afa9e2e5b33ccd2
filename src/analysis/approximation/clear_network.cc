#include "analysis/approximation/clear_network.h"

#include <algorithm>
#include <cmath>

#include "analysis/approximation/clear_kernels.h"
#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/float_kernels.h"
#include "nn/ir/window_visit.h"

namespace ap::approximation {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool is_activation(const nn::Op& op) {
  return std::holds_alternative<nn::ClipOp>(op) || std::holds_alternative<nn::SmoothOp>(op);
}

void apply_exactly(const nn::Op& op, std::span<const float> x, std::span<float> y) {
  if (const auto* clip = std::get_if<nn::ClipOp>(&op)) {
    const float low = clip->low, high = clip->high;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float v = x[i] > low ? x[i] : low;
      y[i] = v < high ? v : high;
    }
  } else {
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<float>(exact_activation(op, double{x[i]}));
  }
}

// Forward of everything that is no activation.
struct Forward {
  const nn::Node& node;
  const nn::Shape& in_shape;
  std::vector<std::vector<float>>& values;
  std::vector<float>& y;
  PatchMemory& memory;

  const std::vector<float>& in(std::size_t k = 0) const { return values[at(node.inputs[k])]; }

  void operator()(const nn::InputOp&) const {}
  void operator()(const nn::ClipOp&) const {}
  void operator()(const nn::SmoothOp&) const {}
  void operator()(const nn::MaxPoolOp&) const {}
  void operator()(const nn::ConvOp& op) const { convolve(op, in_shape, node.shape, in(), y, memory); }
  void operator()(const nn::FullyConnectedOp& op) const { connect(op, in(), y); }
  void operator()(const nn::QuadraticOp& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = op.c0 + in()[i] * (op.c1 + in()[i] * op.c2);
  }
  void operator()(const nn::AddOp&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = in()[i] + in(1)[i];
  }
  void operator()(const nn::ProductOp&) const {
    const std::size_t plane = y.size() / in(1).size();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = in()[i] * in(1)[i / plane];
  }
  void operator()(const nn::AffineOp& op) const {
    const std::size_t plane = y.size() / op.scale.size();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = op.scale[i / plane] * in()[i] + op.shift[i / plane];
  }
  void operator()(const nn::AveragePoolOp& op) const {
    nn::average_pool(op, in_shape, node.shape, in().data(), y.data());
  }
  void operator()(const nn::ConcatOp&) const {
    auto to = y.begin();
    for (const int i : node.inputs) to = std::copy(values[at(i)].begin(), values[at(i)].end(), to);
  }
  void operator()(const nn::GatherOp& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = op.index[i] < 0 ? 0 : in()[at(op.index[i])];
  }
};

// Adds to the gradients of a node's inputs.
struct Backward {
  const nn::Node& node;
  const nn::Shape& in_shape;
  const std::vector<std::vector<float>>& values;
  std::vector<std::vector<float>>& gradients;
  const std::vector<float>& g;
  PatchMemory& memory;

  const std::vector<float>& in(std::size_t k = 0) const { return values[at(node.inputs[k])]; }
  std::vector<float>& to(std::size_t k = 0) const { return gradients[at(node.inputs[k])]; }

  void operator()(const nn::InputOp&) const {}
  void operator()(const nn::MaxPoolOp&) const {}
  void operator()(const nn::ConvOp& op) const {
    convolve_transposed(op, in_shape, node.shape, g, to(), memory);
  }
  void operator()(const nn::FullyConnectedOp& op) const { connect_transposed(op, g, to()); }
  void operator()(const nn::ClipOp& op) const {
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (in()[i] > op.low && in()[i] < op.high) to()[i] += g[i];
    }
  }
  void operator()(const nn::SmoothOp& op) const {
    constexpr double kStep = 1e-4;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double x = double{in()[i]};
      to()[i] +=
          g[i] * static_cast<float>((nn::smooth(op, x + kStep) - nn::smooth(op, x - kStep)) / (2 * kStep));
    }
  }
  void operator()(const nn::QuadraticOp& op) const {
    for (std::size_t i = 0; i < g.size(); ++i) to()[i] += g[i] * (op.c1 + 2 * op.c2 * in()[i]);
  }
  void operator()(const nn::AddOp&) const {
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < g.size(); ++i) to(k)[i] += g[i];
    }
  }
  void operator()(const nn::ProductOp&) const {
    const std::size_t plane = g.size() / in(1).size();
    for (std::size_t i = 0; i < g.size(); ++i) {
      to()[i] += g[i] * in(1)[i / plane];
      to(1)[i / plane] += g[i] * in()[i];
    }
  }
  void operator()(const nn::AffineOp& op) const {
    const std::size_t plane = g.size() / op.scale.size();
    for (std::size_t i = 0; i < g.size(); ++i) to()[i] += g[i] * op.scale[i / plane];
  }
  void operator()(const nn::AveragePoolOp& op) const {
    std::vector<float> share(g.size());
    nn::for_each_in_window(op.window, in_shape, node.shape,
                           [&](std::size_t o, std::size_t) { share[o] += 1; });
    const float whole = static_cast<float>(op.window.kernel_h) * static_cast<float>(op.window.kernel_w);
    for (std::size_t o = 0; o < g.size(); ++o)
      share[o] = op.factor * g[o] / (op.count_include_pad ? whole : share[o]);
    nn::for_each_in_window(op.window, in_shape, node.shape,
                           [&](std::size_t o, std::size_t i) { to()[i] += share[o]; });
  }
  void operator()(const nn::ConcatOp&) const {
    std::size_t from = 0;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      for (float& v : to(k)) v += g[from++];
    }
  }
  void operator()(const nn::GatherOp& op) const {
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (op.index[i] >= 0) to()[at(op.index[i])] += g[i];
    }
  }
};

}  // namespace

double exact_activation(const nn::Op& op, double x) {
  if (const auto* clip = std::get_if<nn::ClipOp>(&op)) {
    return std::min(std::max(x, double{clip->low}), double{clip->high});
  }
  return nn::smooth(std::get<nn::SmoothOp>(op), x);
}

// What stands for an activation, in floats.
struct ClearNetwork::Function {
  struct Stage {
    std::vector<float> coefficients;
    float factor = 1;
    FloatSeries view() const { return {coefficients.data(), coefficients.size(), factor}; }
  };
  std::vector<Stage> stages;
  bool composite = false;
  std::vector<float> offset;

  explicit Function(const plan::ApproximateActivation& a) : offset(a.offset) {
    const auto add = [&](const circuits::ChebyshevSeries& s, double half) {
      AP_ASSERT(s.low == -s.high);
      Stage stage{{s.coefficients.begin(), s.coefficients.end()}, static_cast<float>(1 / half)};
      if (stage.coefficients.empty()) stage.coefficients.push_back(0);
      stages.push_back(std::move(stage));
    };
    if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&a.function)) {
      add(*series, series->high);
      return;
    }
    composite = true;
    for (const circuits::ChebyshevSeries& s : std::get<plan::CompositeRelu>(a.function).sign.stages)
      add(s, s.high * (stages.empty() ? a.bound : 1));
  }

  void operator()(std::span<const float> x, std::span<float> y) const {
    clear_kernels().evaluate(stages[0].view(), x.size(), x.data(), y.data());
    for (std::size_t s = 1; s < stages.size(); ++s)
      clear_kernels().evaluate(stages[s].view(), y.size(), y.data(), y.data());
    if (composite) {
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * (0.5F + 0.5F * y[i]);
    }
    if (offset.empty()) return;
    const std::size_t plane = y.size() / offset.size();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += offset[i / plane];
  }
};

ClearNetwork::ClearNetwork(const nn::Graph& graph) : graph_(&graph), functions_(graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_activation(graph.nodes[i].op)) nodes_.push_back(static_cast<int>(i));
    if (std::holds_alternative<nn::MaxPoolOp>(graph.nodes[i].op)) {
      fail_input(
          "node {}: a maximum over a window compares, which no polynomial of low degree does; use "
          "average pooling, or --protocol hybrid",
          graph.nodes[i].name);
    }
  }
}

ClearNetwork::ClearNetwork(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations)
    : ClearNetwork(graph) {
  if (activations.size() != nodes_.size()) {
    fail_input("{} polynomials for the {} activations of the network {}", activations.size(), nodes_.size(),
               graph.name);
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (activations[i].node != nodes_[i]) {
      fail_input("node {}: there is no polynomial for it", graph.nodes[at(nodes_[i])].name);
    }
    functions_[at(nodes_[i])] = std::make_shared<const Function>(activations[i]);
  }
}

void ClearNetwork::forward(std::size_t number, std::span<const float> image, Memory& memory,
                           Visitor* visitor) const {
  memory.values.resize(graph_->nodes.size());
  memory.values[0].assign(image.begin(), image.end());
  for (std::size_t i = 1; i < graph_->nodes.size(); ++i) step(number, i, memory, visitor);
}

void ClearNetwork::step(std::size_t number, std::size_t i, Memory& memory, Visitor* visitor) const {
  const nn::Node& node = graph_->nodes[i];
  std::vector<float>& y = memory.values[i];
  y.resize(static_cast<std::size_t>(node.shape.size()));
  if (!is_activation(node.op)) {
    std::visit(Forward{node, graph_->nodes[at(node.inputs[0])].shape, memory.values, y, memory.patches},
               node.op);
    return;
  }
  const std::vector<float>& x = memory.values[at(node.inputs[0])];
  if (visitor != nullptr) visitor->input(number, static_cast<int>(i), x);
  if (functions_[i]) {
    (*functions_[i])(x, y);
  } else {
    apply_exactly(node.op, x, y);
  }
  if (visitor != nullptr) visitor->output(number, static_cast<int>(i), y);
}

void ClearNetwork::backward(std::span<const float> logit_gradient, Memory& memory) const {
  memory.gradients.resize(memory.values.size());
  for (std::size_t i = 0; i < memory.values.size(); ++i)
    memory.gradients[i].assign(memory.values[i].size(), 0);
  std::copy(logit_gradient.begin(), logit_gradient.end(), memory.gradients.back().begin());
  for (std::size_t i = graph_->nodes.size() - 1; i > 0; --i) {
    const nn::Node& node = graph_->nodes[i];
    std::visit(Backward{node, graph_->nodes[at(node.inputs[0])].shape, memory.values, memory.gradients,
                        memory.gradients[i], memory.patches},
               node.op);
  }
}

std::vector<float> ClearNetwork::logits(std::span<const float> images,
                                        const std::function<Visitor*(std::size_t)>& visitor) const {
  const auto in = static_cast<std::size_t>(graph_->input_shape().size());
  const auto out = static_cast<std::size_t>(graph_->output_shape().size());
  if (images.size() % in != 0) {
    fail_input("network {} takes images of {} values; {} values are not whole images", graph_->name, in,
               images.size());
  }
  const std::size_t count = images.size() / in;
  std::vector<float> result(count * out);
  parallel_for((count + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    Memory memory;
    Visitor* const own = visitor ? visitor(chunk) : nullptr;
    for (std::size_t n = chunk * kChunk; n < std::min(count, (chunk + 1) * kChunk); ++n) {
      forward(n, images.subspan(n * in, in), memory, own);
      std::copy_n(memory.values.back().begin(), out, result.begin() + static_cast<std::ptrdiff_t>(n * out));
    }
  });
  return result;
}

}  // namespace ap::approximation

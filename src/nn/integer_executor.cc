#include "nn/integer_executor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/integer_executor_linear.h"
#include "nn/window_visit.h"

namespace ap::nn {
namespace {

using Values = std::vector<std::int32_t>;
using View = std::span<const std::int32_t>;

std::int32_t wrap(std::int64_t v) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(v)); }

/// t = floor((x + offset) / 2^shift) for every element.
Values truncate(View x, int shift, int node, const IntegerHooks& hooks) {
  Values t(x.begin(), x.end());
  if (shift == 0) return t;
  const std::int64_t half = std::int64_t{1} << (shift - 1);
  if (hooks.rounding) {
    Values offset(x.size(), static_cast<std::int32_t>(half));
    hooks.rounding(node, offset);
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = wrap((std::int64_t{t[i]} + offset[i]) >> shift);
  } else {
    for (std::int32_t& v : t) v = wrap((std::int64_t{v} + half) >> shift);
  }
  return t;
}

struct Evaluate {
  const QNode& node;
  int number;
  std::span<const View> inputs;
  const Shape& in_shape;
  const LinearKernel* kernel;
  const IntegerHooks& hooks;

  Values operator()(const QInput&) const { return Values(inputs[0].begin(), inputs[0].end()); }

  Values operator()(const QLinear&) const {
    Values out(static_cast<std::size_t>(node.shape.size()));
    kernel->run(inputs[0], out);
    return out;
  }

  Values operator()(const QAdd& op) const {
    std::vector<std::uint64_t> sum(inputs[0].size(), 0);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const auto multiplier = static_cast<std::uint64_t>(op.multiplier[k]);
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += multiplier * static_cast<std::uint64_t>(std::int64_t{inputs[k][i]});
      }
    }
    Values out(sum.size());
    for (std::size_t i = 0; i < sum.size(); ++i)
      out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum[i]));
    return out;
  }

  Values operator()(const QSumPool& op) const {
    std::vector<std::int64_t> sum(static_cast<std::size_t>(node.shape.size()), 0);
    for_each_in_window(op.window, in_shape, node.shape,
                       [&](std::size_t o, std::size_t i) { sum[o] += inputs[0][i]; });
    Values out(sum.size());
    std::transform(sum.begin(), sum.end(), out.begin(), wrap);
    return out;
  }

  Values operator()(const QConcat&) const {
    Values out;
    out.reserve(static_cast<std::size_t>(node.shape.size()));
    for (const View& in : inputs) out.insert(out.end(), in.begin(), in.end());
    return out;
  }

  Values operator()(const QGather& op) const {
    Values out(op.index.size(), 0);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (op.index[i] >= 0) out[i] = inputs[0][static_cast<std::size_t>(op.index[i])];
    }
    return out;
  }

  Values operator()(const QActivation& op) const {
    Values out = truncate(inputs[0], op.shift, number, hooks);
    if (op.has_pool) {
      Values pooled(static_cast<std::size_t>(node.shape.size()), std::numeric_limits<std::int32_t>::min());
      for_each_in_window(op.pool, in_shape, node.shape,
                         [&](std::size_t o, std::size_t i) { pooled[o] = std::max(pooled[o], out[i]); });
      out = std::move(pooled);
    }
    clamp(out, op.low, op.bits);
    return out;
  }

  Values operator()(const QQuadratic& op) const {
    Values out = truncate(inputs[0], op.shift, number, hooks);
    const std::int64_t half = op.post_shift == 0 ? 0 : std::int64_t{1} << (op.post_shift - 1);
    const std::int64_t high = op.low + (std::int64_t{1} << op.bits) - 1;
    std::vector<std::int64_t> offset(out.size(), half);
    if (hooks.result_rounding && op.post_shift > 0) hooks.result_rounding(number, offset);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t t = out[i];
      out[i] =
          wrap(std::clamp((op.c0 + (op.c1 + op.c2 * t) * t + offset[i]) >> op.post_shift, op.low, high));
    }
    return out;
  }

  static void clamp(Values& values, std::int64_t low, int bits) {
    const std::int64_t high = low + (std::int64_t{1} << bits) - 1;
    for (std::int32_t& v : values) v = wrap(std::clamp<std::int64_t>(v, low, high));
  }
};

std::size_t index(int i) { return static_cast<std::size_t>(i); }

}  // namespace

IntegerExecutor::IntegerExecutor(const QuantisedNetwork& network)
    : network_(&network), kernels_(network.nodes.size()), last_use_(network.nodes.size(), 0) {
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const QNode& node = network.nodes[i];
    for (int input : node.inputs) last_use_[index(input)] = static_cast<int>(i);
    if (const auto* linear = std::get_if<QLinear>(&node.op)) {
      if (linear->weights.empty()) {
        fail_input("node '{}' has no weights: a client's copy of a network cannot be evaluated in the clear",
                   node.name);
      }
      kernels_[i] = std::make_unique<LinearKernel>(*linear, node.shape);
    }
  }
}

IntegerExecutor::~IntegerExecutor() = default;
IntegerExecutor::IntegerExecutor(IntegerExecutor&&) noexcept = default;
IntegerExecutor& IntegerExecutor::operator=(IntegerExecutor&&) noexcept = default;

std::vector<std::int32_t> IntegerExecutor::evaluate(int node, std::span<const View> inputs,
                                                    const IntegerHooks& hooks) const {
  const QNode& n = network_->nodes[index(node)];
  const Shape& in_shape = n.inputs.empty() ? n.shape : network_->nodes[index(n.inputs[0])].shape;
  Values values = std::visit(Evaluate{n, node, inputs, in_shape, kernels_[index(node)].get(), hooks}, n.op);
  if (hooks.after_node) hooks.after_node(node, values);
  return values;
}

namespace {

/// Evaluates node after node; `done(i)` runs when node i and everything before it is there.
template <typename Done>
std::vector<Values> evaluate_all(const IntegerExecutor& executor, const QuantisedNetwork& network, View input,
                                 const IntegerHooks& hooks, Done done) {
  if (static_cast<std::int64_t>(input.size()) != network.input_shape().size()) {
    fail_input("the input has {} values; network '{}' takes {}", input.size(), network.name,
               network.input_shape().size());
  }
  std::vector<Values> values(network.nodes.size());
  std::vector<View> inputs;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    inputs.clear();
    if (i == 0) inputs.push_back(input);
    for (int k : network.nodes[i].inputs) inputs.push_back(values[index(k)]);
    values[i] = executor.evaluate(static_cast<int>(i), inputs, hooks);
    done(i, values);
  }
  return values;
}

}  // namespace

std::vector<Values> IntegerExecutor::run(View input, const IntegerHooks& hooks) const {
  return evaluate_all(*this, *network_, input, hooks, [](std::size_t, std::vector<Values>&) {});
}

Values IntegerExecutor::logits(View input, const IntegerHooks& hooks) const {
  auto free_dead = [this](std::size_t i, std::vector<Values>& values) {
    for (int k : network_->nodes[i].inputs) {
      if (last_use_[index(k)] == static_cast<int>(i)) values[index(k)] = Values();
    }
  };
  return std::move(evaluate_all(*this, *network_, input, hooks, free_dead).back());
}

std::vector<Values> run_integer(const QuantisedNetwork& network, View input, const IntegerHooks& hooks) {
  return IntegerExecutor(network).run(input, hooks);
}

Values integer_logits(const QuantisedNetwork& network, View input, const IntegerHooks& hooks) {
  return IntegerExecutor(network).logits(input, hooks);
}

Values quantise_input(const QuantisedNetwork& network, std::span<const float> image) {
  const QNode& node = network.nodes.front();
  if (static_cast<std::int64_t>(image.size()) != node.shape.size()) {
    fail_input("the image has {} values; network '{}' takes {}", image.size(), network.name,
               node.shape.size());
  }
  Values out(image.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double v = std::round(double{image[i]} / node.scale);
    if (std::isnan(v)) fail_input("value {} of the image is not a number", i);
    out[i] = static_cast<std::int32_t>(
        std::clamp(v, static_cast<double>(node.low), static_cast<double>(node.high)));
  }
  return out;
}

}  // namespace ap::nn

#include "nn/execute/integer_executor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/execute/executor_kernels.h"
#include "nn/execute/integer_executor_linear.h"
#include "nn/ir/window_visit.h"

namespace ap::nn {
namespace {

using Values = std::vector<std::int32_t>;
using View = std::span<const std::int32_t>;

std::int32_t within_int32(std::int64_t v) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(v, std::numeric_limits<std::int32_t>::min(),
                                                            std::numeric_limits<std::int32_t>::max()));
}

const Truncate kNoClamp{0, std::numeric_limits<std::int32_t>::min(),
                        std::numeric_limits<std::int32_t>::max()};

/// Evaluates one node into `out`, whatever `out` held.
struct Evaluate {
  const QNode& node;
  int number;
  std::span<const View> inputs;
  const Shape& in_shape;
  const LinearKernel* kernel;
  const IntegerHooks& hooks;
  const ExecutorKernels& kernels;
  Values& out;

  void operator()(const QInput&) const { out.assign(inputs[0].begin(), inputs[0].end()); }

  void operator()(const QLinear&) const {
    out.resize(static_cast<std::size_t>(node.shape.size()));
    kernel->run(inputs[0], out);
  }

  void operator()(const QAdd& op) const {
    out.assign(inputs[0].size(), 0);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      kernels.add_scaled(inputs[k].data(), 1, static_cast<std::uint32_t>(op.multiplier[k]), out.size(),
                         out.data());
    }
  }

  void operator()(const QSumPool& op) const {
    out.assign(static_cast<std::size_t>(node.shape.size()), 0);
    const Window& w = op.window;
    if (node.shape.h * node.shape.w == 1 && w.kernel_h == in_shape.h && w.kernel_w == in_shape.w &&
        w.pad == Padding{}) {
      const std::size_t area = inputs[0].size() / out.size();
      for (std::size_t i = 0; i < inputs[0].size(); ++i) {
        std::int32_t& sum = out[i / area];
        sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) +
                                        static_cast<std::uint32_t>(inputs[0][i]));
      }
      return;
    }
    for_each_row_in_window(op.window, in_shape, node.shape,
                           [&](std::size_t o, std::size_t i, std::size_t stride, std::size_t n) {
                             kernels.add_scaled(&inputs[0][i], stride, 1, n, &out[o]);
                           });
  }

  void operator()(const QConcat&) const {
    out.clear();
    out.reserve(static_cast<std::size_t>(node.shape.size()));
    for (const View& in : inputs) out.insert(out.end(), in.begin(), in.end());
  }

  void operator()(const QGather& op) const {
    out.assign(op.index.size(), 0);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (op.index[i] >= 0) out[i] = inputs[0][static_cast<std::size_t>(op.index[i])];
    }
  }

  void operator()(const QActivation& op) const {
    Truncate clamp{0, within_int32(op.low), within_int32(op.low + (std::int64_t{1} << op.bits) - 1)};
    if (!op.has_pool) {
      clamp.shift = op.shift;
      truncate(clamp);
      return;
    }
    // What is truncated in one order and clamped in the other: pooling and clamping commute, but each window
    // then needs one clamp only.
    Truncate shift = kNoClamp;
    shift.shift = op.shift;
    truncate(shift);
    Values pooled(static_cast<std::size_t>(node.shape.size()), std::numeric_limits<std::int32_t>::min());
    for_each_row_in_window(op.pool, in_shape, node.shape,
                           [&](std::size_t o, std::size_t i, std::size_t stride, std::size_t n) {
                             kernels.maximum(&out[i], stride, n, &pooled[o]);
                           });
    out.resize(pooled.size());
    kernels.truncate_evenly(clamp, pooled.data(), 0, pooled.size(), out.data());
  }

  void operator()(const QTable& op) const {
    // u, then its value: all of them first, since there are many more elements.
    const std::int64_t top = (std::int64_t{1} << op.bits) - 1;
    Truncate clamp{op.shift, within_int32(op.low), within_int32(op.low + top)};
    truncate(clamp);
    Values values;
    for (std::int64_t u = 0; u <= top; ++u) values.push_back(within_int32(op.at(u)));
    for (std::int32_t& v : out) v = values[static_cast<std::size_t>(v - op.low)];
  }

  void operator()(const QProduct& op) const {
    const View &x = inputs[0], &gate = inputs[1];
    const std::size_t plane = x.size() / gate.size();
    out.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(x[i]) *
                                         static_cast<std::uint32_t>(gate[i / plane]));
    }
    const Values product = out;
    truncate({op.shift, within_int32(op.low), within_int32(op.low + (std::int64_t{1} << op.bits) - 1)},
             product);
  }

  void operator()(const QQuadratic& op) const {
    Truncate shift = kNoClamp;
    shift.shift = op.shift;
    truncate(shift);
    const std::int64_t half = op.post_shift == 0 ? 0 : std::int64_t{1} << (op.post_shift - 1);
    std::vector<std::int64_t> offset(out.size(), half);
    if (hooks.result_rounding && op.post_shift > 0) hooks.result_rounding(number, offset);
    const Values t = out;
    kernels.polynomial(
        {op.c0, op.c1, op.c2, op.post_shift, op.low, op.low + (std::int64_t{1} << op.bits) - 1}, t.data(),
        offset.data(), t.size(), out.data());
  }

  /// t = floor((x + offset) / 2^shift) for every element, clamped.
  void truncate(const Truncate& op) const { truncate(op, inputs[0]); }
  void truncate(const Truncate& op, const View& x) const {
    out.resize(x.size());
    const std::int32_t half = op.shift == 0 ? 0 : std::int32_t{1} << (op.shift - 1);
    if (op.shift == 0 || !hooks.rounding) {
      kernels.truncate_evenly(op, x.data(), half, x.size(), out.data());
      return;
    }
    thread_local Values offset;
    offset.assign(x.size(), half);
    hooks.rounding(number, x, offset);
    kernels.truncate(op, x.data(), offset.data(), x.size(), out.data());
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
  Values values;
  evaluate_into(node, inputs, hooks, values);
  return values;
}

void IntegerExecutor::evaluate_into(int node, std::span<const View> inputs, const IntegerHooks& hooks,
                                    Values& out) const {
  const QNode& n = network_->nodes[index(node)];
  const Shape& in_shape = n.inputs.empty() ? n.shape : network_->nodes[index(n.inputs[0])].shape;
  std::visit(Evaluate{n, node, inputs, in_shape, kernels_[index(node)].get(), hooks, executor_kernels(), out},
             n.op);
  if (hooks.after_node) hooks.after_node(node, out);
}

/// Evaluates node after node into `values`: before(i) runs before node i, after(i) when it is there.
template <typename Before, typename After>
void IntegerExecutor::evaluate_all(View input, const IntegerHooks& hooks, std::vector<Values>& values,
                                   Before before, After after) const {
  if (static_cast<std::int64_t>(input.size()) != network_->input_shape().size()) {
    fail_input("the input has {} values; network '{}' takes {}", input.size(), network_->name,
               network_->input_shape().size());
  }
  std::vector<View> inputs;
  for (std::size_t i = 0; i < network_->nodes.size(); ++i) {
    before(i);
    inputs.clear();
    if (i == 0) inputs.push_back(input);
    for (int k : network_->nodes[i].inputs) inputs.push_back(values[index(k)]);
    evaluate_into(static_cast<int>(i), inputs, hooks, values[i]);
    after(i);
  }
}

std::vector<Values> IntegerExecutor::run(View input, const IntegerHooks& hooks) const {
  std::vector<Values> values(network_->nodes.size());
  const auto nothing = [](std::size_t) {};
  evaluate_all(input, hooks, values, nothing, nothing);
  return values;
}

Values IntegerExecutor::logits(View input, const IntegerHooks& hooks) const {
  std::vector<Values> values(network_->nodes.size()), spare;
  const auto reuse = [&](std::size_t i) {
    if (spare.empty()) return;
    values[i] = std::move(spare.back());
    spare.pop_back();
  };
  const auto release = [&](std::size_t i) {
    for (int k : network_->nodes[i].inputs) {
      // A node may be an input twice.
      if (last_use_[index(k)] == static_cast<int>(i) && values[index(k)].capacity() > 0) {
        spare.push_back(std::move(values[index(k)]));
        values[index(k)] = Values();
      }
    }
  };
  evaluate_all(input, hooks, values, reuse, release);
  return std::move(values.back());
}

std::vector<Values> run_integer(const QuantisedNetwork& network, View input, const IntegerHooks& hooks) {
  return IntegerExecutor(network).run(input, hooks);
}

Values integer_logits(const QuantisedNetwork& network, View input, const IntegerHooks& hooks) {
  return IntegerExecutor(network).logits(input, hooks);
}

}  // namespace ap::nn

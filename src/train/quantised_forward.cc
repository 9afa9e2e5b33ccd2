#include "train/quantised_forward.h"

#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/ir/quantised_bounds.h"

namespace ap::train {
namespace {

std::size_t at_(int i) { return static_cast<std::size_t>(i); }

/// Rounded half away from zero, as std::round does.
at::Tensor rounded(const at::Tensor& x) {
  const at::Tensor whole = at::trunc(x);
  return at::where(at::abs(x - whole) < 0.5, whole, whole + at::sign(x));
}

/// floor(x 2^-shift), straight through.
at::Tensor shifted(const at::Tensor& x, int shift) {
  const at::Tensor scaled = x * std::ldexp(1.0, -shift);
  return straight_through(scaled, at::floor(scaled));
}

at::Tensor clamped(const at::Tensor& x, std::int64_t low, int bits) {
  return at::clamp(x, low, low + (std::int64_t{1} << bits) - 1);
}

}  // namespace

/// The hooks of one batch, one set an image.
struct QuantisedForward::Run {
  std::vector<nn::IntegerHooks> hooks;

  at::Tensor after_node(int node, const at::Tensor& values) const {
    if (hooks.empty() || !hooks.front().after_node) return values;
    at::Tensor changed = values.detach().to(at::kInt).contiguous();
    each(changed, [&](std::size_t i, std::span<std::int32_t> v) { hooks[i].after_node(node, v); });
    return straight_through(values, changed.to(at::kFloat));
  }
  /// x plus the rounding offset of a truncation.
  at::Tensor with_offset(int node, const at::Tensor& x, int shift) const {
    if (shift == 0) return x;
    const std::int32_t half = std::int32_t{1} << (shift - 1);
    if (hooks.empty() || !hooks.front().rounding) return x + half;
    at::Tensor offset = at::full(x.sizes(), half, at::kInt);
    const at::Tensor integers = x.detach().to(at::kInt).contiguous();
    const std::int32_t* const first = integers.data_ptr<std::int32_t>();
    each(offset, [&](std::size_t i, std::span<std::int32_t> v) {
      hooks[i].rounding(node, {first + i * v.size(), v.size()}, v);
    });
    return x + offset;
  }

 private:
  template <typename F>
  void each(at::Tensor& integers, F f) const {
    const auto size = static_cast<std::size_t>(integers.numel()) / hooks.size();
    std::int32_t* const first = integers.data_ptr<std::int32_t>();
    parallel_for(hooks.size(), [&](std::size_t i) { f(i, {first + i * size, size}); });
  }
};

QuantisedForward::QuantisedForward(const nn::Graph& graph, const nn::QuantisedNetwork& network,
                                   int weight_bits)
    : network_(network),
      limit_(std::ldexp(1.0, weight_bits - 1) - 1),
      linears_(network.nodes.size()),
      gathers_(network.nodes.size()),
      hooked_(network.nodes.size(), false),
      last_use_(network.nodes.size(), network.nodes.size()) {
  std::unordered_map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) by_name[graph.nodes[i].name] = i;
  const Parameters initial(graph, false);
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    for (const int k : node.inputs) last_use_[at_(k)] = i;
    if (std::holds_alternative<nn::QTable>(node.op) || std::holds_alternative<nn::QProduct>(node.op)) {
      fail_input("layer '{}' ({}) cannot be trained here yet; tune networks of ReLU, Clip and quadratics",
                 node.name, nn::op_name(node.op));
    }
    const bool truncates =
        std::holds_alternative<nn::QActivation>(node.op) || std::holds_alternative<nn::QQuadratic>(node.op);
    if (truncates) hooked_[at_(node.inputs[0])] = true;
    if (const auto* op = std::get_if<nn::QGather>(&node.op)) gathers_[i].emplace(op->index);
    const auto* linear = std::get_if<nn::QLinear>(&node.op);
    if (!linear) continue;
    hooked_[i] = true;
    const auto found = by_name.find(node.name);
    const at::Tensor weights = found == by_name.end() ? at::Tensor() : initial.nodes[found->second].weights;
    const auto wanted = static_cast<std::int64_t>(linear->weights.size());
    if (!weights.defined() || weights.numel() != wanted) {
      fail_input(
          "layer '{}' of network '{}' is not a layer of '{}'; give the model that the package was compiled from",
          node.name, network.name, graph.name);
    }
    linears_[i] = Linear{found->second, node.scale / network.nodes[at_(node.inputs[0])].scale,
                         at::zeros({static_cast<std::int64_t>(linear->bias.size())}, at::kDouble)};
    const at::Tensor mine = weights_of(i, initial).flatten();
    double difference = 0;
    for (std::int64_t k = 0; k < wanted; ++k) {
      difference += std::abs(mine.data_ptr<float>()[k] - linear->weights[static_cast<std::size_t>(k)]);
    }
    // A rescaled accumulator's step is known to a few digits only: a weight in a thousand may round
    // otherwise.
    if (difference > 0.05 * static_cast<double>(wanted) + 1) {
      fail_input(
          "the weights of layer '{}' are not those of '{}'; give the model that the package was compiled from, by "
          "compile --no-equalise",
          node.name, graph.name);
    }
    const at::Tensor bias = bias_of(i, initial);
    for (std::size_t k = 0; k < linear->bias.size(); ++k) {
      linears_[i]->correction.data_ptr<double>()[k] =
          static_cast<double>(linear->bias[k]) - double{bias.data_ptr<float>()[k]};
    }
  }
  hooked_.back() = true;
}

at::Tensor QuantisedForward::weights_of(std::size_t i, const Parameters& parameters) const {
  const auto& op = std::get<nn::QLinear>(network_.nodes[i].op);
  const at::Tensor exact = parameters.nodes[linears_[i]->source].weights.to(at::kDouble) / linears_[i]->step;
  const at::Tensor within = at::clamp(exact, -limit_, limit_);
  const std::int64_t taps = std::int64_t{op.window.kernel_h} * op.window.kernel_w;
  const std::int64_t per_group = op.in_shape.c / op.groups;
  return straight_through(within, rounded(within))
      .to(at::kFloat)
      .view({exact.numel() / (per_group * taps), per_group, op.window.kernel_h, op.window.kernel_w});
}

at::Tensor QuantisedForward::bias_of(std::size_t i, const Parameters& parameters) const {
  const at::Tensor exact =
      parameters.nodes[linears_[i]->source].bias.to(at::kDouble) / network_.nodes[i].scale;
  return (straight_through(exact, rounded(exact)) + linears_[i]->correction).to(at::kFloat);
}

at::Tensor QuantisedForward::input_integers(const at::Tensor& images) const {
  const auto count = static_cast<std::size_t>(images.size(0));
  const auto size = static_cast<std::size_t>(network_.input_shape().size());
  const at::Tensor from = images.contiguous();
  const float* const values = from.data_ptr<float>();
  at::Tensor out = at::empty_like(from);
  float* const to = out.data_ptr<float>();
  parallel_for(count, [&](std::size_t i) {
    const std::vector<std::int32_t> integers = nn::quantise_input(network_, {values + i * size, size});
    std::copy(integers.begin(), integers.end(), to + i * size);
  });
  return out;
}

at::Tensor QuantisedForward::operator()(const Parameters& parameters, const at::Tensor& images,
                                        const Errors& errors, std::uint64_t seed,
                                        std::span<const std::uint64_t> numbers) const {
  Run run;
  if (errors) {
    AP_ASSERT(static_cast<std::int64_t>(numbers.size()) == images.size(0));
    for (const std::uint64_t number : numbers) run.hooks.push_back(errors(seed, number));
  }
  std::vector<at::Tensor> values(network_.nodes.size());
  values[0] = input_integers(images);
  for (std::size_t i = 1; i < values.size(); ++i) {
    values[i] = evaluate(i, parameters, values, run);
    if (hooked_[i]) values[i] = run.after_node(static_cast<int>(i), values[i]);
    for (const int k : network_.nodes[i].inputs) {
      if (last_use_[at_(k)] == i) values[at_(k)].reset();
    }
  }
  return values.back().flatten(1) * network_.nodes.back().scale;
}

at::Tensor QuantisedForward::evaluate(std::size_t i, const Parameters& parameters,
                                      const std::vector<at::Tensor>& values, Run& run) const {
  const nn::QNode& node = network_.nodes[i];
  const auto input = [&](std::size_t k) { return values[at_(node.inputs[k])]; };
  const at::Tensor x = input(0);
  if (const auto* op = std::get_if<nn::QLinear>(&node.op)) {
    const at::Tensor in = x.reshape({x.size(0), op->in_shape.c, op->in_shape.h, op->in_shape.w});
    return convolve(in, weights_of(i, parameters), bias_of(i, parameters), op->window, op->groups)
        .view({x.size(0), node.shape.c, node.shape.h, node.shape.w});
  }
  if (const auto* op = std::get_if<nn::QAdd>(&node.op)) {
    at::Tensor sum = x * op->multiplier[0];
    for (std::size_t k = 1; k < node.inputs.size(); ++k) sum = sum + input(k) * op->multiplier[k];
    return sum;
  }
  if (const auto* op = std::get_if<nn::QSumPool>(&node.op)) return sum_pool(x, op->window, 1);
  if (std::holds_alternative<nn::QConcat>(node.op)) {
    std::vector<at::Tensor> parts;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) parts.push_back(input(k));
    return at::cat(parts, 1);
  }
  if (std::holds_alternative<nn::QGather>(node.op)) return gather(x, *gathers_[i], node.shape);
  if (const auto* op = std::get_if<nn::QActivation>(&node.op)) {
    at::Tensor t = shifted(run.with_offset(static_cast<int>(i), x, op->shift), op->shift);
    if (op->has_pool) t = max_pool(t, op->pool);
    return clamped(t, op->low, op->bits);
  }
  const auto& op = std::get<nn::QQuadratic>(node.op);
  // Squares of the argument leave the 24 bits of a float.
  const at::Tensor t = shifted(run.with_offset(static_cast<int>(i), x, op.shift), op.shift).to(at::kDouble);
  const double half = op.post_shift > 0 ? std::ldexp(1.0, op.post_shift - 1) : 0;
  const at::Tensor value = t * (t * op.c2 + op.c1) + (static_cast<double>(op.c0) + half);
  return clamped(shifted(value, op.post_shift), op.low, op.bits).to(at::kFloat);
}

nn::QuantisedNetwork QuantisedForward::network(const Parameters& parameters) const {
  const at::NoGradGuard no_gradients;
  nn::QuantisedNetwork out = network_;
  for (std::size_t i = 0; i < out.nodes.size(); ++i) {
    if (!linears_[i]) continue;
    auto& op = std::get<nn::QLinear>(out.nodes[i].op);
    const at::Tensor weights = weights_of(i, parameters).contiguous(),
                     bias = bias_of(i, parameters).contiguous();
    for (std::size_t k = 0; k < op.weights.size(); ++k) {
      op.weights[k] = static_cast<std::int16_t>(weights.data_ptr<float>()[k]);
    }
    for (std::size_t k = 0; k < op.bias.size(); ++k) {
      op.bias[k] = static_cast<std::int64_t>(bias.data_ptr<float>()[k]);
    }
  }
  nn::set_ranges(out, static_cast<int>(out.nodes.size()));
  nn::validate(out, nn::WeightsRule::required);
  return out;
}

}  // namespace ap::train

#include "nn/quantise/quantise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/ir/quantised_bounds.h"
#include "nn/quantise/equalise.h"
#include "nn/quantise/quantise_rewrite.h"
#include "nn/quantise/quantise_scales.h"
#include "nn/quantise/quantise_smooth.h"
#include "nn/quantise/quantise_statistics.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// set_ranges, where max-pools without a clip of their own get the narrowest clamp that changes nothing.
void set_ranges_and_pools(QuantisedNetwork& network, std::span<const int> lone_pools) {
  for (int i : lone_pools) {
    QNode& pool = network.nodes[at(i)];
    set_ranges(network, i);
    const QNode& in = network.nodes[at(pool.inputs[0])];
    auto& activation = std::get<QActivation>(pool.op);
    activation.low = in.low;
    activation.bits =
        std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(in.high - in.low))));
  }
  set_ranges(network, static_cast<int>(network.nodes.size()));
}

/// Third step: writes down the integer network.
class Emitter {
 public:
  Emitter(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
          std::span<const NodeScale> scales, const QuantiseOptions& options)
      : graph_(graph),
        statistics_(statistics),
        scales_(scales),
        options_(options),
        position_(nodes().size(), -1) {}

  QuantisedNetwork run() {
    out_.name = graph_.graph.name;
    for (int i = 0; i < static_cast<int>(nodes().size()); ++i) {
      if (graph_.pooled_by[at(i)] >= 0) {
        // Its clip comes before it (and stands for both) or follows and will.
        if (graph_.pooled_by[at(i)] < i) position_[at(i)] = position_[at(graph_.pooled_by[at(i)])];
        continue;
      }
      number_ = i;
      std::visit([this](const auto& op) { emit(op); }, nodes()[at(i)].op);
    }
    set_ranges_and_pools(out_, lone_pools_);
    return std::move(out_);
  }

  /// The integer node that stands for node i of the graph.
  int position(int i) const { return position_[at(i)]; }
  const std::vector<int>& lone_pools() const { return lone_pools_; }

 private:
  const std::vector<Node>& nodes() const { return graph_.graph.nodes; }
  const Node& node() const { return nodes()[at(number_)]; }
  const NodeScale& scale() const { return scales_[at(number_)]; }

  int add(QOp op, std::vector<int> inputs, Shape shape, double s, const std::string& name) {
    out_.nodes.push_back({name, std::move(op), std::move(inputs), shape, s, 0, 0});
    return static_cast<int>(out_.nodes.size()) - 1;
  }

  void emit_simple(QOp op) {
    std::vector<int> inputs;
    for (int k : node().inputs) inputs.push_back(position_[at(k)]);
    position_[at(number_)] = add(std::move(op), std::move(inputs), node().shape, scale().scale, node().name);
  }

  void emit(const InputOp&) {
    emit_simple(QInput{});
    QNode& input = out_.nodes.back();
    input.low = scale().low;
    input.high = scale().low + (std::int64_t{1} << options_.input_bits) - 1;
  }

  void emit(const ConvOp& op) {
    const Shape& in = nodes()[at(node().inputs[0])].shape;
    emit_linear(op.weights, op.bias, QLinear{in, op.window, op.groups, {}, {}});
  }
  void emit(const FullyConnectedOp& op) {
    const auto size = static_cast<int>(nodes()[at(node().inputs[0])].shape.size());
    emit_linear(op.weights, op.bias, QLinear{{size, 1, 1}, Window{}, 1, {}, {}});
  }

  void emit_linear(const std::vector<float>& weights, const std::vector<float>& bias, QLinear linear) {
    const double s = scale().scale;
    const double step = s / scales_[at(node().inputs[0])].scale;
    const auto limit = static_cast<double>(weight_limit(kMostWeightBits));
    for (float w : weights) {
      linear.weights.push_back(static_cast<std::int16_t>(std::clamp(std::round(w / step), -limit, limit)));
    }
    for (float b : bias) {
      const double units = std::round(b / s);
      if (std::abs(units) > static_cast<double>(kMaxMagnitude)) {
        fail_input("node '{}': a bias of {} is too large for its weights' step of {}", node().name, b, step);
      }
      linear.bias.push_back(static_cast<std::int64_t>(units));
    }
    emit_simple(std::move(linear));
  }

  void emit(const AddOp&) {
    QAdd add_op;
    for (int k : node().inputs) {
      add_op.multiplier.push_back(
          std::max<std::int64_t>(1, std::llround(scales_[at(k)].scale / scale().scale)));
    }
    emit_simple(std::move(add_op));
  }

  void emit(const AveragePoolOp& op) { emit_simple(QSumPool{op.window}); }
  void emit(const ConcatOp&) { emit_simple(QConcat{}); }
  void emit(const GatherOp& op) { emit_simple(QGather{op.index}); }
  void emit(const AffineOp&) { AP_ASSERT(false); }

  void emit(const MaxPoolOp& op) {
    emit_simple(QActivation{.shift = 0, .low = 0, .bits = 1, .has_pool = true, .pool = op.window});
    lone_pools_.push_back(position_[at(number_)]);
  }

  void emit(const ClipOp&) {
    QActivation activation{.shift = scale().shift,
                           .low = scale().low,
                           .bits = scale().bits > 0 ? scale().bits : options_.activation_bits,
                           .pool = {}};
    int source = node().inputs[0];
    Shape shape = node().shape;
    if (const int pool = graph_.pool[at(number_)]; pool >= 0) {
      activation.has_pool = true;
      activation.pool = std::get<MaxPoolOp>(nodes()[at(pool)].op).window;
      if (pool == source) source = nodes()[at(pool)].inputs[0];
      shape = nodes()[at(std::max(pool, number_))].shape;
    }
    const int input = rescaled(position_[at(source)], scale().scale);
    position_[at(number_)] = add(activation, {input}, shape, scale().scale, node().name);
    // The shift is exact: what rounding of a multiplier leaves is part of the error, not of the scale.
    out_.nodes.back().scale = std::ldexp(out_.nodes[at(input)].scale, activation.shift);
  }

  /// Multiplies integer node `input` where its scale cannot meet `step` by a shift.
  int rescaled(int input, double step) {
    if (scale().rescale == 1) return input;
    const Shape shape = out_.nodes[at(input)].shape;
    return add(QAdd{{scale().rescale}}, {input}, shape, std::ldexp(step, -scale().shift),
               node().name + "/rescale");
  }

  void emit(const SmoothOp& op) {
    const int input = rescaled(position_[at(node().inputs[0])], scale().argument);
    const double argument = std::ldexp(out_.nodes[at(input)].scale, scale().shift);
    const double slope = smooth_slope(op);
    const std::int64_t low = scale().low;
    const int bits = slope > 0 ? static_cast<int>(std::bit_width(static_cast<std::uint64_t>(-low)))
                               : std::min(options_.activation_bits, 8);
    const double step = slope > 0 ? argument * slope : scale().scale;
    QTable table = make_table(op, scale().shift, low, bits, argument, step, node().name);
    position_[at(number_)] = add(std::move(table), {input}, node().shape, step, node().name);
  }

  void emit(const ProductOp&) {
    emit_simple(QProduct{scale().shift, scale().low, options_.activation_bits});
    QNode& product = out_.nodes.back();
    product.scale = std::ldexp(
        out_.nodes[at(product.inputs[0])].scale * out_.nodes[at(product.inputs[1])].scale, scale().shift);
  }

  void emit(const QuadraticOp& op) {
    const int source = node().inputs[0];
    const double s = scale().scale;
    const double t = std::ldexp(out_.nodes[at(position_[at(source)])].scale, scale().shift);
    const NodeStatistics& seen = statistics_[at(source)];
    const double largest = std::max(std::abs(double{seen.low}), std::abs(double{seen.high})) / t;
    QQuadratic quadratic{.shift = scale().shift, .low = scale().low, .bits = options_.activation_bits};
    // The fewest extra bits with which the coefficients' rounding costs at most a quarter of a step.
    constexpr int kMaxPostShift = 30;
    for (;; ++quadratic.post_shift) {
      const double unit = std::ldexp(s, -quadratic.post_shift);
      const double exact[] = {op.c0 / unit, op.c1 * t / unit, op.c2 * t * t / unit};
      std::int64_t* const rounded[] = {&quadratic.c0, &quadratic.c1, &quadratic.c2};
      double error = 0;
      for (int k = 0; k < 3; ++k) {
        *rounded[k] = std::llround(exact[k]);
        error += std::abs(exact[k] - std::round(exact[k])) * std::pow(largest, k);
      }
      if (error <= std::ldexp(0.25, quadratic.post_shift) || quadratic.post_shift == kMaxPostShift) break;
    }
    emit_simple(quadratic);
  }

  const IntegerGraph& graph_;
  std::span<const NodeStatistics> statistics_;
  std::span<const NodeScale> scales_;
  const QuantiseOptions& options_;
  std::vector<int> position_;
  int number_ = 0;
  QuantisedNetwork out_;
  std::vector<int> lone_pools_;
};

/// Fourth step. Runs all images through the network node by node and moves the biases of every linear node so
/// that the mean of each channel is that of the float network.
void correct_biases(QuantisedNetwork& network, std::span<const Tensor> images,
                    std::span<const std::vector<double>* const> float_mean) {
  using Values = std::vector<std::int32_t>;
  const IntegerExecutor executor(network);
  const std::size_t count = network.nodes.size();
  std::vector<int> last_use(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    for (int k : network.nodes[i].inputs) last_use[at(k)] = static_cast<int>(i);
  }
  std::vector<std::vector<Values>> values(count, std::vector<Values>(images.size()));
  for (std::size_t i = 0; i < count; ++i) {
    QNode& node = network.nodes[i];
    parallel_for(images.size(), [&](std::size_t n) {
      const Values input = i == 0 ? quantise_input(network, images[n].data) : Values();
      std::vector<std::span<const std::int32_t>> inputs;
      if (i == 0) inputs.push_back(input);
      for (int k : node.inputs) inputs.push_back(values[at(k)][n]);
      values[i][n] = executor.evaluate(static_cast<int>(i), inputs);
    });
    if (auto* linear = std::get_if<QLinear>(&node.op)) {
      const std::size_t plane =
          static_cast<std::size_t>(node.shape.h) * static_cast<std::size_t>(node.shape.w);
      for (std::size_t c = 0; c < linear->bias.size(); ++c) {
        double sum = 0;
        for (const Values& v : values[i]) {
          for (std::size_t k = c * plane; k < (c + 1) * plane; ++k) sum += v[k];
        }
        const double mean = sum / static_cast<double>(plane * images.size());
        const auto change = static_cast<std::int32_t>(std::lround((*float_mean[i])[c] / node.scale - mean));
        linear->bias[c] += change;
        for (Values& v : values[i]) {
          for (std::size_t k = c * plane; k < (c + 1) * plane; ++k) v[k] += change;
        }
      }
    }
    for (int k : node.inputs) {
      if (last_use[at(k)] == static_cast<int>(i)) values[at(k)] = std::vector<Values>();
    }
  }
}

/// How far the logits are from those of the float network, over the first few images.
class OutputError {
 public:
  OutputError(const Graph& graph, std::span<const Tensor> images) {
    std::vector<float> inputs;
    for (const Tensor& image : images.first(std::min(images.size(), kImages))) {
      inputs.insert(inputs.end(), image.data.begin(), image.data.end());
    }
    wanted_ = logits(graph, inputs);
  }

  /// Mean square of the difference, as it moves logits against each other.
  double operator()(const QuantisedNetwork& network, std::span<const Tensor> images) const {
    const IntegerExecutor executor(network);
    const auto outputs = static_cast<std::size_t>(network.output_shape().size());
    const std::size_t count = wanted_.size() / outputs;
    std::vector<double> errors(count);
    parallel_for(count, [&](std::size_t n) {
      const auto got = executor.logits(quantise_input(network, images[n].data));
      double sum = 0, square = 0;
      for (std::size_t k = 0; k < outputs; ++k) {
        const double e = got[k] * network.nodes.back().scale - double{wanted_[n * outputs + k]};
        sum += e;
        square += e * e;
      }
      errors[n] = square - (outputs > 1 ? sum * sum / static_cast<double>(outputs) : 0);
    });
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(count * outputs);
  }

 private:
  static constexpr std::size_t kImages = 64;
  std::vector<float> wanted_;
};

void check(const QuantiseOptions& o) {
  auto within = [](const char* name, int value, int low, int high) {
    if (value < low || value > high) fail_input("{} is {}; {} to {} are possible", name, value, low, high);
  };
  within("weight_bits", o.weight_bits, 2, 15);
  within("activation_bits", o.activation_bits, 2, 14);
  within("input_bits", o.input_bits, 1, 14);
}

}  // namespace

QuantisedNetwork quantise(const Graph& graph, std::span<const Tensor> images,
                          const QuantiseOptions& options) {
  return quantise_with_reference(graph, images, options).network;
}

Quantised quantise_with_reference(const Graph& graph, std::span<const Tensor> images,
                                  const QuantiseOptions& options) {
  check(options);
  IntegerGraph integer_graph = to_integer_graph(graph, options.equalise);
  std::vector<NodeStatistics> statistics = observe(integer_graph.graph, images);
  if (options.equalise) {
    apply_factors(integer_graph.graph, equalisation_factors(integer_graph, statistics, options.weight_bits,
                                                            options.activation_bits, options.input_bits));
    statistics = observe(integer_graph.graph, images);
  }
  const OutputError output_error(integer_graph.graph, images);
  Quantised best;
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](QuantisedNetwork network, const Emitter& emitter, double handicap) {
    const double error = handicap * output_error(network, images);
    if (!best.position.empty() && error >= least) return;
    least = error;
    best.network = std::move(network);
    best.position.clear();
    for (std::size_t i = 0; i < integer_graph.graph.nodes.size(); ++i) {
      best.position.push_back(emitter.position(static_cast<int>(i)));
    }
  };
  for (const bool clip : {true, false}) {
    if (clip && !options.clip_outliers) continue;
    QuantiseOptions tried = options;
    tried.clip_outliers = clip;
    const std::vector<NodeScale> scales = choose_scales(integer_graph, statistics, tried);
    Emitter emitter(integer_graph, statistics, scales, tried);
    QuantisedNetwork network = emitter.run();
    if (options.bias_correction) {
      QuantisedNetwork corrected = network;
      std::vector<const std::vector<double>*> means(network.nodes.size(), nullptr);
      for (std::size_t i = 0; i < statistics.size(); ++i) {
        const int position = emitter.position(static_cast<int>(i));
        if (position >= 0) means[at(position)] = &statistics[i].channel_mean;
      }
      correct_biases(corrected, images, means);
      set_ranges_and_pools(corrected, emitter.lone_pools());
      // Fitted to these very images.
      constexpr double kFitted = 1.1;
      consider(std::move(corrected), emitter, kFitted);
    }
    consider(std::move(network), emitter, 1);
  }
  best.network.input_form = graph.input_form;
  validate(best.network, WeightsRule::required);
  best.reference = std::move(integer_graph.graph);
  return best;
}

}  // namespace ap::nn

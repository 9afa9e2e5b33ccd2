#include "nn/quantise/quantise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <set>

#include "base/error.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"

namespace ap::nn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Window kSame3{3, 3, 1, 1, {1, 1, 1, 1}};
constexpr Window kHalf{2, 2, 2, 2, {}};

/// Builds float graphs with random weights, node by node.
class Builder {
 public:
  explicit Builder(Shape input, unsigned seed = 1) : random_(seed) { add(InputOp{}, {}, input); }

  int conv(int input, int channels, Window w = kSame3, int groups = 1) {
    const Shape in = shape(input);
    const int taps = in.c / groups * w.kernel_h * w.kernel_w;
    ConvOp op{w, groups, weights(channels * taps, taps), weights(channels, 1)};
    return add(std::move(op), {input}, {channels, w.out_h(in.h), w.out_w(in.w)});
  }
  int full(int input, int outputs) {
    const int n = static_cast<int>(shape(input).size());
    return add(FullyConnectedOp{weights(outputs * n, n), weights(outputs, 1)}, {input}, {outputs, 1, 1});
  }
  int clip(int input, float low, float high) { return add(ClipOp{low, high}, {input}, shape(input)); }
  int relu(int input) { return clip(input, 0, kInfinity); }
  int sum(int a, int b) { return add(AddOp{}, {a, b}, shape(a)); }
  int max_pool(int input, Window w = kHalf) { return add(MaxPoolOp{w}, {input}, pooled(input, w)); }
  int average(int input, Window w = kHalf, bool include = true) {
    return add(AveragePoolOp{w, include}, {input}, pooled(input, w));
  }
  int concat(std::vector<int> inputs) {
    Shape s = shape(inputs[0]);
    s.c = 0;
    for (int i : inputs) s.c += shape(i).c;
    return add(ConcatOp{}, std::move(inputs), s);
  }
  /// Every second channel, with zero channels put behind.
  int gather(int input) {
    const Shape s = shape(input);
    GatherOp op;
    const int plane = s.h * s.w;
    for (int c = 0; c < s.c; ++c) {
      for (int i = 0; i < plane; ++i) op.index.push_back(2 * c < s.c ? 2 * c * plane + i : -1);
    }
    return add(std::move(op), {input}, s);
  }
  int affine(int input) {
    const int c = shape(input).c;
    return add(AffineOp{weights(c, 1), weights(c, 1)}, {input}, shape(input));
  }
  int quadratic(int input, float c0, float c1, float c2) {
    return add(QuadraticOp{c0, c1, c2}, {input}, shape(input));
  }
  const Graph& graph() const { return graph_; }

 private:
  Shape shape(int i) const { return graph_.nodes[static_cast<std::size_t>(i)].shape; }
  Shape pooled(int i, const Window& w) const {
    return {shape(i).c, w.out_h(shape(i).h), w.out_w(shape(i).w)};
  }
  std::vector<float> weights(int count, int fan_in) {
    std::normal_distribution<float> normal(0, 1 / std::sqrt(static_cast<float>(fan_in)));
    std::vector<float> out(static_cast<std::size_t>(count));
    for (float& w : out) w = normal(random_);
    return out;
  }
  int add(Op op, std::vector<int> inputs, Shape s) {
    const int number = static_cast<int>(graph_.nodes.size());
    graph_.nodes.push_back({"node" + std::to_string(number), std::move(op), std::move(inputs), s});
    return number;
  }
  Graph graph_;
  std::mt19937 random_;
};

std::vector<Tensor> random_images(const Shape& shape, int count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Tensor> images;
  for (int n = 0; n < count; ++n) {
    Tensor image{shape, std::vector<float>(static_cast<std::size_t>(shape.size()))};
    for (float& v : image.data) v = normal(random);
    images.push_back(std::move(image));
  }
  return images;
}

/// Root mean square of (integer result - float result) relative to that of the float result, on the images.
double relative_error(const Graph& graph, const QuantisedNetwork& network,
                      const std::vector<Tensor>& images) {
  const IntegerExecutor executor(network);
  double error = 0, power = 0;
  for (const Tensor& image : images) {
    const Tensor wanted = run(graph, image).back();
    const auto got = executor.logits(quantise_input(network, image.data));
    EXPECT_EQ(got.size(), wanted.data.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double e = got[i] * network.nodes.back().scale - double{wanted.data[i]};
      error += e * e;
      power += double{wanted.data[i]} * wanted.data[i];
    }
  }
  return std::sqrt(error / power);
}

int activations(const QuantisedNetwork& network) {
  return static_cast<int>(std::count_if(network.nodes.begin(), network.nodes.end(), [](const QNode& n) {
    return std::holds_alternative<QActivation>(n.op) || std::holds_alternative<QQuadratic>(n.op);
  }));
}

struct Topology {
  const char* name;
  int activations;  ///< needed in the integer network
  std::function<void(Builder&)> build;
};

const std::vector<Topology>& topologies() {
  static const std::vector<Topology> all = {
      {"plain", 1, [](Builder& b) { b.full(b.relu(b.conv(0, 6)), 5); }},
      {"pool_after_relu", 1, [](Builder& b) { b.full(b.max_pool(b.relu(b.conv(0, 6))), 5); }},
      {"pool_before_relu", 1, [](Builder& b) { b.full(b.relu(b.max_pool(b.conv(0, 6))), 5); }},
      {"pool_without_relu", 1, [](Builder& b) { b.full(b.max_pool(b.conv(0, 6)), 5); }},
      {"overlapping_pool_with_padding", 1,
       [](Builder& b) {
         b.full(b.max_pool(b.relu(b.conv(0, 6)), {3, 3, 2, 2, {1, 1, 1, 1}}), 5);
       }},
      {"pool_beside_other_consumer", 2,
       [](Builder& b) {
         const int r = b.relu(b.conv(0, 6));
         b.sum(b.full(b.max_pool(r), 5), b.full(r, 5));
       }},
      {"two_pools", 2, [](Builder& b) { b.full(b.max_pool(b.max_pool(b.relu(b.conv(0, 6)))), 5); }},
      {"pool_last", 1, [](Builder& b) { b.max_pool(b.conv(0, 6)); }},
      {"conv_conv", 2, [](Builder& b) { b.full(b.conv(b.conv(0, 6), 4), 5); }},
      {"residual", 3,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 6));
         b.full(b.relu(b.sum(b.conv(b.relu(b.conv(x, 6)), 6), x)), 5);
       }},
      {"residual_without_relu", 4,
       [](Builder& b) {
         const int x = b.conv(0, 6);
         const int y = b.sum(b.conv(b.relu(b.conv(x, 6)), 6), x);
         b.full(b.relu(b.sum(b.conv(y, 6), y)), 5);
       }},
      {"projection_shortcut", 2,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 6));
         b.full(b.relu(b.sum(b.conv(x, 8, {3, 3, 2, 2, {0, 0, 1, 1}}), b.conv(x, 8, {1, 1, 2, 2, {}}))), 5);
       }},
      {"sum_of_three", 2,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 6));
         b.full(b.relu(b.sum(b.sum(b.conv(x, 6), b.conv(x, 6)), x)), 5);
       }},
      {"sum_of_activations", 3,
       [](Builder& b) { b.full(b.sum(b.relu(b.conv(0, 6)), b.relu(b.conv(0, 6))), 5); }},
      {"twice_the_same", 1,
       [](Builder& b) {
         const int x = b.conv(0, 6);
         b.full(b.relu(b.sum(x, x)), 5);
       }},
      {"accumulator_in_two_trees", 2,
       [](Builder& b) {
         const int x = b.conv(0, 6);
         // One after the other: the order in which arguments are evaluated is each compiler's own.
         const int clipped = b.full(b.clip(x, -1, 1), 5);
         b.sum(b.full(b.relu(x), 5), clipped);
       }},
      {"fire", 3,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 4));
         b.full(b.concat({b.relu(b.conv(x, 6, {})), b.relu(b.conv(x, 6))}), 5);
       }},
      {"relu_after_concat", 3,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 4));
         b.full(b.relu(b.concat({b.conv(x, 6, {}), b.conv(x, 6)})), 5);
       }},
      {"concat_of_accumulators", 3,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 4));
         b.full(b.concat({b.conv(x, 6, {}), b.conv(x, 6)}), 5);
       }},
      {"dense", 2,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 4));
         b.full(b.concat({x, b.relu(b.conv(x, 4))}), 5);
       }},
      {"inception", 4,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 4));
         const int pool = b.average(x, kSame3);
         const int max = b.max_pool(x, kSame3);
         b.full(b.concat({b.relu(b.conv(x, 6, {})), pool, max}), 5);
       }},
      {"gather_shortcut", 2,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 6));
         b.full(b.relu(b.sum(b.conv(x, 6), b.gather(x))), 5);
       }},
      {"gather_of_accumulators", 1, [](Builder& b) { b.full(b.relu(b.gather(b.conv(0, 6))), 5); }},
      {"average_of_activations", 1, [](Builder& b) { b.full(b.average(b.relu(b.conv(0, 6))), 5); }},
      {"average_of_accumulators", 1, [](Builder& b) { b.full(b.relu(b.average(b.conv(0, 6))), 5); }},
      {"average_between_linears", 1, [](Builder& b) { b.full(b.average(b.conv(0, 6)), 5); }},
      {"average_last", 1, [](Builder& b) { b.average(b.conv(b.relu(b.conv(0, 6)), 5)); }},
      {"sum_of_average_and_conv", 2,
       [](Builder& b) {
         const int x = b.relu(b.conv(0, 6));
         b.full(b.relu(b.sum(b.average(b.conv(x, 6)), b.conv(x, 6, {2, 2, 2, 2, {}}))), 5);
       }},
      {"relu6", 1, [](Builder& b) { b.full(b.clip(b.conv(0, 6), 0, 6), 5); }},
      {"tight_clip", 1, [](Builder& b) { b.full(b.clip(b.conv(0, 6), -0.5F, 0.25F), 5); }},
      {"clip_above_zero", 1, [](Builder& b) { b.full(b.clip(b.conv(0, 6), 0.3F, 1.5F), 5); }},
      {"upper_clip_only", 1, [](Builder& b) { b.full(b.clip(b.conv(0, 6), -kInfinity, 0.5F), 5); }},
      {"clip_of_input", 1, [](Builder& b) { b.full(b.clip(0, -1, 1), 5); }},
      {"clip_of_clip", 2, [](Builder& b) { b.full(b.clip(b.relu(b.conv(0, 6)), 0, 0.5F), 5); }},
      {"depthwise", 2, [](Builder& b) { b.full(b.relu(b.conv(b.relu(b.conv(0, 6)), 6, kSame3, 6)), 5); }},
      {"grouped", 2, [](Builder& b) { b.full(b.relu(b.conv(b.relu(b.conv(0, 6)), 4, kSame3, 2)), 5); }},
      // The layers with nothing between them become one.
      {"affine", 1, [](Builder& b) { b.full(b.affine(b.relu(b.affine(b.conv(0, 6)))), 5); }},
      {"square", 2,
       [](Builder& b) { b.full(b.quadratic(b.full(b.quadratic(b.conv(0, 6), 0, 0, 1), 8), 0, 0, 1), 5); }},
      {"polynomial", 1, [](Builder& b) { b.full(b.quadratic(b.conv(0, 6), 0.1992F, 0.5002F, 0.1997F), 5); }},
      {"falling_polynomial", 1, [](Builder& b) { b.full(b.quadratic(b.conv(0, 6), 1, -0.5F, -0.25F), 5); }},
      {"relu_last", 1, [](Builder& b) { b.relu(b.full(0, 5)); }},
  };
  return all;
}

class QuantiseTopology : public testing::TestWithParam<Topology> {};

TEST_P(QuantiseTopology, KeepsTheFunction) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Builder builder({3, 8, 8}, seed);
    GetParam().build(builder);
    const Graph& graph = builder.graph();
    const auto images = random_images(graph.input_shape(), 12, seed);
    // With many bits the integer network must approach the float one: no operation is lost or misplaced.
    QuantiseOptions fine{.weight_bits = 12, .activation_bits = 11, .input_bits = 11, .clip_outliers = false};
    const QuantisedNetwork precise = quantise(graph, images, fine);
    EXPECT_LT(relative_error(graph, precise, images), 0.006);
    EXPECT_EQ(activations(precise), GetParam().activations);
    const QuantisedNetwork usual = quantise(graph, images);
    EXPECT_LT(relative_error(graph, usual, images), 0.05);
    EXPECT_EQ(usual.nodes.back().shape, graph.output_shape());
    EXPECT_NO_THROW(validate(usual, WeightsRule::required));
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantiseTopology, testing::ValuesIn(topologies()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Quantise, WeightsUseBetweenHalfAndAllOfTheirRange) {
  Builder b({3, 8, 8});
  b.full(b.relu(b.conv(b.relu(b.conv(0, 8)), 8)), 5);
  const QuantisedNetwork n = quantise(b.graph(), random_images({3, 8, 8}, 8, 1));
  for (const QNode& node : n.nodes) {
    const auto* linear = std::get_if<QLinear>(&node.op);
    if (!linear) continue;
    int largest = 0;
    for (std::int16_t w : linear->weights) largest = std::max(largest, std::abs(int{w}));
    EXPECT_GE(largest, 63);
    EXPECT_LE(largest, 127);
  }
}

TEST(Quantise, MultipliersAlignScales) {
  Builder b({3, 8, 8});
  const int x = b.relu(b.conv(0, 6));
  b.full(b.relu(b.sum(b.conv(x, 6), x)), 5);
  const QuantisedNetwork n = quantise(b.graph(), random_images({3, 8, 8}, 8, 1));
  for (const QNode& node : n.nodes) {
    const auto* add = std::get_if<QAdd>(&node.op);
    if (!add) continue;
    for (std::size_t i = 0; i < add->multiplier.size(); ++i) {
      const double exact = n.nodes[static_cast<std::size_t>(node.inputs[i])].scale / node.scale;
      EXPECT_NEAR(static_cast<double>(add->multiplier[i]) / exact, 1, 1.0 / 64);
    }
  }
}

/// A block whose sums take the convolutions of earlier sums, without an activation between (as DenseNet-like face
/// networks have): the accumulators of one convolution feed sums of several scales.
Graph shared_sums(unsigned seed) {
  Builder b({3, 8, 8}, seed);
  const int x0 = b.relu(b.conv(0, 8));
  const int c1 = b.conv(x0, 8);
  const int c2 = b.conv(b.relu(b.sum(x0, c1)), 8);
  const int s2 = b.sum(c1, c2);
  const int c3 = b.conv(b.relu(b.sum(x0, s2)), 8);
  const int s3 = b.sum(c1, b.sum(c2, c3));
  b.full(b.relu(b.sum(x0, s3)), 5);
  return b.graph();
}

TEST(Quantise, SharedSumsKeepTheirRatios) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const Graph graph = shared_sums(seed);
    const auto images = random_images({3, 8, 8}, 16, seed);
    // Weights of many bits make later sums coarser than earlier ones, rather than finer.
    for (const int bits : {8, 12, 14}) {
      const QuantisedNetwork n = quantise(graph, images, {.weight_bits = bits, .equalise = false});
      for (const QNode& node : n.nodes) {
        const auto* add = std::get_if<QAdd>(&node.op);
        for (std::size_t i = 0; add && i < add->multiplier.size(); ++i) {
          const double exact = n.nodes[static_cast<std::size_t>(node.inputs[i])].scale / node.scale;
          EXPECT_NEAR(static_cast<double>(add->multiplier[i]) / exact, 1, 1.0 / 16)
              << bits << " bits, seed " << seed << ", " << node.name;
        }
      }
      EXPECT_LT(relative_error(graph, n, images), 0.05) << bits << " bits, seed " << seed;
    }
    const QuantisedNetwork fine = quantise(graph, images, {.weight_bits = 11, .activation_bits = 11});
    EXPECT_LT(relative_error(graph, fine, images), 0.02) << seed;
  }
}

TEST(Quantise, LargeChannelsLeaveTheOthersTheirLevels) {
  Builder b({3, 8, 8});
  b.full(b.relu(b.conv(b.relu(b.conv(0, 8)), 8)), 5);
  Graph graph = b.graph();
  // One channel 100 times as large, and read by weights a hundredth as large: the same function.
  auto& first = std::get<ConvOp>(graph.nodes[1].op);
  for (std::size_t k = 0; k < 27; ++k) first.weights[5 * 27 + k] *= 100;
  first.bias[5] *= 100;
  auto& second = std::get<ConvOp>(graph.nodes[3].op);
  for (std::size_t k = 0; k < second.weights.size(); ++k) {
    if (k / 9 % 8 == 5) second.weights[k] /= 100;
  }
  const auto images = random_images({3, 8, 8}, 16, 1);
  const double plain = relative_error(graph, quantise(graph, images, {.equalise = false}), images);
  const double equalised = relative_error(graph, quantise(graph, images), images);
  EXPECT_GT(plain, 0.1);
  EXPECT_LT(equalised, 0.03);
}

TEST(Quantise, SteepClipsGetFineWeights) {
  Builder b({3, 8, 8});
  b.full(b.clip(b.conv(0, 8), 0, 0.002F), 5);
  const auto images = random_images({3, 8, 8}, 8, 1);
  EXPECT_LT(relative_error(b.graph(), quantise(b.graph(), images), images), 0.05);
}

TEST(Quantise, WeightsOfWideSumsGetTheBitsThatFit) {
  // 2^14 inputs of 8 bits times weights of 14 bits would be more than 32 bits.
  Builder b({64, 16, 16});
  b.full(0, 4);
  const auto images = random_images({64, 16, 16}, 4, 1);
  const QuantisedNetwork network = quantise(b.graph(), images, {.weight_bits = 14});
  EXPECT_LT(relative_error(b.graph(), network, images), 0.01);
  int largest = 0;
  for (std::int16_t w : std::get<QLinear>(network.nodes.back().op).weights)
    largest = std::max(largest, std::abs(int{w}));
  EXPECT_GT(largest, 127);
  EXPECT_LT(largest, 8191);
}

TEST(Quantise, ByteImagesAreExact) {
  Builder b({1, 4, 4});
  b.full(0, 3);
  std::vector<Tensor> images(2, Tensor{{1, 4, 4}, std::vector<float>(16)});
  for (int i = 0; i < 16; ++i) {
    images[0].data[static_cast<std::size_t>(i)] = static_cast<float>(i) / 255;
    images[1].data[static_cast<std::size_t>(i)] = static_cast<float>(255 - i) / 255;
  }
  const QuantisedNetwork n = quantise(b.graph(), images);
  EXPECT_EQ(n.nodes[0].low, 0);
  EXPECT_EQ(n.nodes[0].high, 255);
  const auto input = quantise_input(n, images[1].data);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(input[static_cast<std::size_t>(i)], 255 - i);
}

TEST(Quantise, BiasCorrectionRemovesTheMeanError) {
  Builder b({3, 8, 8});
  b.full(b.relu(b.conv(b.relu(b.conv(0, 16)), 16)), 5);
  const auto images = random_images({3, 8, 8}, 40, 1);
  auto mean_error = [&](bool correct) {
    const QuantisedNetwork n = quantise(b.graph(), images, {.weight_bits = 4, .bias_correction = correct});
    std::vector<double> sum(5, 0);
    for (const Tensor& image : images) {
      const auto wanted = run(b.graph(), image).back().data;
      const auto got = integer_logits(n, quantise_input(n, image.data));
      for (std::size_t i = 0; i < 5; ++i) sum[i] += got[i] * n.nodes.back().scale - double{wanted[i]};
    }
    double total = 0;
    for (double s : sum) total += std::abs(s) / static_cast<double>(images.size());
    return total;
  };
  EXPECT_LT(mean_error(true), 0.1 * mean_error(false));
}

TEST(Quantise, SurvivesDegenerateLayers) {
  // All weights zero: every activation is constant.
  Builder b({2, 4, 4});
  b.full(b.relu(b.conv(0, 3)), 2);
  Graph graph = b.graph();
  std::fill(std::get<ConvOp>(graph.nodes[1].op).weights.begin(),
            std::get<ConvOp>(graph.nodes[1].op).weights.end(), 0.0F);
  const auto images = random_images({2, 4, 4}, 4, 1);
  EXPECT_LT(relative_error(graph, quantise(graph, images), images), 0.05);
  std::fill(std::get<ConvOp>(graph.nodes[1].op).bias.begin(), std::get<ConvOp>(graph.nodes[1].op).bias.end(),
            0.0F);
  EXPECT_NO_THROW(quantise(graph, images));
}

std::string error_of(const Graph& graph, const std::vector<Tensor>& images,
                     const QuantiseOptions& options = {}) {
  try {
    quantise(graph, images, options);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input);
    return e.what();
  }
  return "";
}

TEST(Quantise, ClipsNearlyAsSteepAsComparisonsGetFewerLevels) {
  Builder b({3, 8, 8}, 1);
  b.full(b.clip(b.conv(0, 6), 0, 1), 5);
  Graph graph = b.graph();
  for (Node& node : graph.nodes) {
    if (auto* conv = std::get_if<ConvOp>(&node.op)) {
      for (float& w : conv->weights) w *= 3e4F;
    }
  }
  const auto images = random_images(graph.input_shape(), 12, 1);
  const QuantisedNetwork network = quantise(graph, images);
  EXPECT_LT(relative_error(graph, network, images), 0.1);
  // No level for what the input cannot tell apart.
  for (const QNode& node : network.nodes) {
    if (const auto* activation = std::get_if<QActivation>(&node.op)) {
      EXPECT_LT(activation->bits, 8);
    }
  }
}

TEST(Quantise, ErrorsNameTheProblem) {
  Builder b({3, 8, 8});
  b.full(b.average(b.relu(b.conv(0, 4)), kSame3, false), 2);
  const auto images = random_images({3, 8, 8}, 2, 1);
  EXPECT_NE(error_of(b.graph(), images).find("'node3' (average_pool)"), std::string::npos);
  Builder good({3, 8, 8});
  good.full(good.relu(good.conv(0, 4)), 2);
  EXPECT_NE(error_of(good.graph(), {}).find("at least one image"), std::string::npos);
  EXPECT_NE(error_of(good.graph(), images, {.weight_bits = 1}).find("weight_bits is 1"), std::string::npos);
  EXPECT_NE(error_of(good.graph(), images, {.activation_bits = 40}).find("activation_bits is 40"),
            std::string::npos);
  auto broken = images;
  broken[1].data[7] = kInfinity;
  EXPECT_NE(error_of(good.graph(), broken).find("not finite"), std::string::npos);
}

}  // namespace
}  // namespace ap::nn

#include "train/quantised_forward.h"

#include <cmath>

#include "nn/onnx/import.h"
#include "tests/train/support.h"
#include "train/float_forward.h"

namespace ap::train {
namespace {

/// A model with errors everywhere, of a size that shows.
noise::ErrorModel noisy(const nn::QuantisedNetwork& network) {
  noise::ErrorModel model;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    if (std::holds_alternative<nn::QLinear>(node.op)) {
      model.linears.push_back(
          {static_cast<int>(i), std::vector<float>(static_cast<std::size_t>(node.shape.size()), 20.0F)});
    }
    const auto* activation = std::get_if<nn::QActivation>(&node.op);
    const auto* quadratic = std::get_if<nn::QQuadratic>(&node.op);
    const int shift = activation ? activation->shift : quadratic ? quadratic->shift : 0;
    if (shift > 0) {
      model.truncations.push_back({static_cast<int>(i), 20, shift, std::max(0, shift - 2),
                                   std::int64_t{1} << (shift - 1), activation ? activation->low : 0});
    }
  }
  model.logits = static_cast<int>(network.nodes.size()) - 1;
  model.logit_bits = 24;
  return model;
}

/// The differentiable executor gives the integer executor's numbers, bit for bit.
void expect_same_integers(const nn::Graph& graph, const nn::QuantisedNetwork& network, int bits,
                          std::span<const float> images, bool with_errors) {
  const auto size = static_cast<std::size_t>(graph.input_shape().size());
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < images.size() / size; ++i) numbers.push_back(40 + i);
  const Errors errors = with_errors ? inject(noisy(network)) : Errors();
  const std::vector<float> got = quantised_logits(graph, network, bits, images, errors, 5, numbers);
  const nn::IntegerExecutor executor(network);
  const auto classes = static_cast<std::size_t>(network.output_shape().size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto input = nn::quantise_input(network, images.subspan(i * size, size));
    const auto wanted = executor.logits(input, errors ? errors(5, numbers[i]) : nn::IntegerHooks());
    for (std::size_t k = 0; k < classes; ++k) {
      EXPECT_EQ(std::lround(got[i * classes + k] / network.nodes.back().scale), wanted[k]) << i << " " << k;
    }
  }
}

TEST(QuantisedForward, EqualsTheIntegerExecutor) {
  const Samples samples = stripes(24);
  for (const int bits : {4, 6, 8}) {
    const nn::Graph graph = small_graph();
    const nn::QuantisedNetwork network = quantised(graph, samples, bits);
    expect_same_integers(graph, network, bits, inputs(samples, 6), false);
    expect_same_integers(graph, network, bits, inputs(samples, 6), true);
  }
}

TEST(QuantisedForward, EqualsTheIntegerExecutorOnTrainedNetworks) {
  for (const char* name : {"minionn_cifar10_relu6", "minionn_cifar10_poly5", "resnet20_cifar10_bn_unfolded",
                           "squeezenet_cifar10", "cnn_mnist_relu_maxpool"}) {
    SCOPED_TRACE(name);
    const auto path = data_folder() / "models" / (std::string(name) + ".onnx");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "missing file: " << path.string();
    const nn::Graph graph = nn::import_onnx(path);
    std::vector<nn::Tensor> images;
    for (std::uint32_t i = 0; i < 4; ++i) {
      images.push_back(
          {graph.input_shape(), random_floats(static_cast<std::size_t>(graph.input_shape().size()), i)});
    }
    const nn::QuantisedNetwork network = nn::quantise(graph, images, {.equalise = false});
    expect_same_integers(graph, network, 8, images[0].data, false);
    expect_same_integers(graph, network, 8, images[1].data, true);
  }
}

TEST(QuantisedForward, ItsNetworkIsTheOneItWasMadeFrom) {
  const nn::Graph graph = small_graph();
  const nn::QuantisedNetwork network = quantised(graph, stripes());
  const nn::QuantisedNetwork same = QuantisedForward(graph, network, 8).network(Parameters(graph, false));
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const auto* before = std::get_if<nn::QLinear>(&network.nodes[i].op);
    if (!before) continue;
    EXPECT_EQ(before->weights, std::get<nn::QLinear>(same.nodes[i].op).weights);
    EXPECT_EQ(before->bias, std::get<nn::QLinear>(same.nodes[i].op).bias);
    EXPECT_EQ(network.nodes[i].low, same.nodes[i].low);
  }
}

TEST(QuantisedForward, GradientsGoStraightThroughRoundingAndErrors) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // Where no clamp holds, the gradients are those of the float network at the rounded weights.
  nn::Graph graph = small_graph();
  for (const std::size_t clip : {2, 4}) graph.nodes[clip].op = nn::ClipOp{-kInfinity, kInfinity};
  const Samples samples = stripes(24);
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < 24; ++i) images.push_back(image(samples, i));
  const nn::QuantisedNetwork network = nn::quantise(
      graph, images, {.weight_bits = 12, .activation_bits = 12, .clip_outliers = false, .equalise = false});
  const std::vector<float> values = inputs(samples, 4);
  at::Tensor x = at::empty({4, 2, 6, 6});
  std::copy(values.begin(), values.end(), x.data_ptr<float>());
  const std::vector<std::uint64_t> numbers = {0, 1, 2, 3};
  const Parameters a(graph, false), b(graph, false);
  const Errors errors = inject(noisy(network));
  QuantisedForward(graph, network, 12)(a, x, errors, 1, numbers).slice(1, 0, 1).sum().backward();
  FloatForward{graph}(b, x).slice(1, 0, 1).sum().backward();
  const auto of_a = a.leaves(), of_b = b.leaves();
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const auto difference = (of_a[i].grad() - of_b[i].grad()).norm().item<double>();
    EXPECT_LT(difference, 0.02 * of_b[i].grad().norm().item<double>() + 1e-6) << i;
  }
}

TEST(QuantisedForward, RefusesAnotherNetwork) {
  const nn::Graph graph = small_graph();
  const nn::QuantisedNetwork network = quantised(graph, stripes());
  nn::Graph other = graph;
  other.nodes[3].name = "conv9";
  EXPECT_NE(error_of([&] { QuantisedForward(other, network, 8); }).find("conv2"), std::string::npos);
  other = graph;
  for (float& w : std::get<nn::ConvOp>(other.nodes[1].op).weights) w = -w;
  EXPECT_NE(error_of([&] { QuantisedForward(other, network, 8); }).find("conv1"), std::string::npos);
}

}  // namespace
}  // namespace ap::train

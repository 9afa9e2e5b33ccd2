// Accuracy of the quantised networks of the data kit against their float originals. Takes minutes, so it runs
// only with AP_SLOW=1. AP_NETWORKS=a,b picks networks, AP_IMAGES=n the number of test images (default 1000),
// AP_WEIGHT_BITS, AP_ACTIVATION_BITS and AP_CALIBRATION (images) override the defaults, AP_LAYERS=1 prints
// layers.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "nn/data/accuracy.h"
#include "nn/data/dataset.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/onnx/import.h"
#include "nn/quantise/quantise.h"
#include "tests/support/paths.h"

namespace ap::nn {
namespace {

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

struct Case {
  const char* model;
  const char* test;
  const char* train;
  const char* normalization;
};

constexpr const char* kCifar10Test = "cifar10:cifar10/test_batch_reordered.bin.xz";
constexpr const char* kCifar10Train = "cifar10:cifar10/data_batch_1.bin.xz";
constexpr const char* kCifar100Test = "cifar100:cifar100/test_reordered.bin.xz";
constexpr const char* kCifar100Train = "cifar100:cifar100/train_subset_20k.bin.xz";
constexpr const char* kImageNet = "mean=.485,.456,.406 std=.229,.224,.225";

const Case kCases[] = {
    {"cnn_mnist_relu_maxpool", "mnist:mnist", "mnist-train:mnist", "scale=127.5 mean=1"},
    {"cryptonets_mnist_square", "mnist:mnist", "mnist-train:mnist", "scale=256"},
    {"minionn_cifar10_relu6", kCifar10Test, kCifar10Train, ""},
    {"minionn_cifar10_poly5", kCifar10Test, kCifar10Train, ""},
    {"resnet20_cifar10", kCifar10Test, kCifar10Train, kImageNet},
    {"resnet20_cifar10_bn_unfolded", kCifar10Test, kCifar10Train, kImageNet},
    {"resnet32_cifar10", kCifar10Test, kCifar10Train, kImageNet},
    {"squeezenet_cifar10", kCifar10Test, kCifar10Train, ""},
    {"resnet32_cifar100", kCifar100Test, kCifar100Train, "mean=.507,.487,.441 std=.267,.256,.276"},
    {"resnet32_cifar100_delphi_relu6", kCifar100Test, kCifar100Train, ""},
    {"mobilenetv2_cifar10", kCifar10Test, kCifar10Train, "mean=.4914,.4822,.4465 std=.2023,.1994,.2010"},
};

std::filesystem::path data_root() { return tests::shared_data(); }

/// "scheme:relative" with the data folder put in.
std::string located(const std::string& argument) {
  const auto colon = argument.find(':');
  return argument.substr(0, colon + 1) + (data_root() / argument.substr(colon + 1)).string();
}

/// Local truncation of two shares with `guard` bits below the binary point kept for the exact comparison: an
/// offset uniform over 2^(shift-guard) values around one half.
IntegerHooks private_rounding(const QuantisedNetwork& network, int guard, unsigned seed) {
  auto random = std::make_shared<std::mt19937>(seed);
  IntegerHooks hooks;
  hooks.rounding = [&network, guard, random](int node, std::span<const std::int32_t>,
                                             std::span<std::int32_t> offset) {
    const QOp& op = network.nodes[static_cast<std::size_t>(node)].op;
    const auto* activation = std::get_if<QActivation>(&op);
    const int shift = activation ? activation->shift : std::get<QQuadratic>(op).shift;
    if (shift <= guard) return;
    const std::int32_t width = std::int32_t{1} << (shift - guard);
    for (std::int32_t& o : offset) {
      o += static_cast<std::int32_t>((*random)() & static_cast<std::uint32_t>(width - 1)) - width / 2;
    }
  };
  return hooks;
}

std::vector<int> integer_labels(const QuantisedNetwork& network,
                                const std::vector<std::vector<std::int32_t>>& inputs, int guard) {
  const IntegerExecutor executor(network);
  std::vector<int> labels(inputs.size());
  parallel_for(inputs.size(), [&](std::size_t i) {
    const IntegerHooks hooks =
        guard < 0 ? IntegerHooks{} : private_rounding(network, guard, static_cast<unsigned>(i) + 1);
    const std::vector<std::int32_t> out = executor.logits(inputs[i], hooks);
    labels[i] = argmax(std::span<const std::int32_t>(out));
  });
  return labels;
}

void print_layers(const QuantisedNetwork& network) {
  for (const QNode& n : network.nodes) {
    const auto reach = static_cast<std::uint64_t>(std::max(n.high, -n.low));
    std::string detail;
    if (const auto* linear = std::get_if<QLinear>(&n.op)) {
      int largest = 0;
      for (std::int16_t w : linear->weights) largest = std::max(largest, std::abs(int{w}));
      detail = fmt::format("largest weight {}", largest);
    } else if (const auto* activation = std::get_if<QActivation>(&n.op)) {
      detail = fmt::format("shift {} low {} bits {}{}", activation->shift, activation->low, activation->bits,
                           activation->has_pool ? " pool" : "");
    } else if (const auto* add = std::get_if<QAdd>(&n.op)) {
      for (auto m : add->multiplier) detail += fmt::format("x{} ", m);
    } else if (const auto* q = std::get_if<QQuadratic>(&n.op)) {
      detail = fmt::format("shift {} c {} {} {} post {} low {}", q->shift, q->c0, q->c1, q->c2, q->post_shift,
                           q->low);
    }
    fmt::print("    {:<40} {:<10} {:>3}x{}x{} range [{}, {}] {} bits, scale {:.4g} {}\n", n.name,
               op_name(n.op), n.shape.c, n.shape.h, n.shape.w, n.low, n.high, 1 + std::bit_width(reach),
               n.scale, detail);
  }
}

class QuantiseAccuracy : public testing::TestWithParam<Case> {};

TEST_P(QuantiseAccuracy, WithinOnePercentOfFloat) {
  if (number_from("AP_SLOW", 0) == 0) GTEST_SKIP() << "set AP_SLOW=1 to run";
  const Case& c = GetParam();
  if (const char* wanted = std::getenv("AP_NETWORKS");
      wanted &&
      (std::string(",") + wanted + ",").find(std::string(",") + c.model + ",") == std::string::npos) {
    GTEST_SKIP() << "not in AP_NETWORKS";
  }
  const std::filesystem::path model = data_root() / "models" / (std::string(c.model) + ".onnx");
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "missing file: " << model.string();

  const Graph graph = import_onnx(model);
  const Normalization normalization = Normalization::parse(c.normalization);
  const Dataset train =
      load_dataset(located(c.train), {0, number_from("AP_CALIBRATION", 128)}, graph.input_shape());
  const Dataset test =
      load_dataset(located(c.test), {0, number_from("AP_IMAGES", 1000)}, graph.input_shape());
  std::vector<Tensor> images;
  for (std::size_t i = 0; i < train.size(); ++i) images.push_back(train.input(i, normalization));
  QuantiseOptions options;
  options.weight_bits = number_from("AP_WEIGHT_BITS", options.weight_bits);
  options.activation_bits = number_from("AP_ACTIVATION_BITS", options.activation_bits);
  const QuantisedNetwork network = quantise(graph, images, options);
  if (number_from("AP_LAYERS", 0)) print_layers(network);

  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  const std::vector<float> float_logits = logits(graph, test.inputs(0, test.size(), normalization));
  const std::vector<int> float_labels = predictions(std::span<const float>(float_logits), classes);
  std::vector<std::vector<std::int32_t>> inputs(test.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = quantise_input(network, test.input(i, normalization).data);
  }
  const std::vector<int> clean = integer_labels(network, inputs, -1);
  const double float_top1 = top1(float_labels, test.labels), clean_top1 = top1(clean, test.labels);
  fmt::print("{:<32} float {:.2f} %  integer {:.2f} %  labels as float {:.2f} %\n", c.model, 100 * float_top1,
             100 * clean_top1, 100 * top1(clean, float_labels));
  const std::size_t studied = std::min<std::size_t>(1000, inputs.size());
  inputs.resize(studied);
  const std::span<const int> labels = std::span(test.labels).first(studied),
                             reference = std::span(clean).first(studied);
  for (int guard : {0, 2, 4}) {
    const std::vector<int> noisy = integer_labels(network, inputs, guard);
    fmt::print(
        "{:<32}   private truncation, {} guard bits, {} images: {:.2f} %  labels as integer {:.2f} %\n", "",
        guard, studied, 100 * top1(noisy, labels), 100 * top1(noisy, reference));
  }
  std::fflush(stdout);
  EXPECT_GE(clean_top1, float_top1 - 0.01);
}

INSTANTIATE_TEST_SUITE_P(DataKit, QuantiseAccuracy, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.model); });

}  // namespace
}  // namespace ap::nn

// How many labels of the float networks the integer ones keep: the data kit's networks on test images, and the
// networks of ImageNet scale on CIFAR-10 test images enlarged bilinearly (half-pixel centres) to their input.
//
//   build/release/bench/quantisation [--only NAME,...] [--images N] [--calibration N] [--activation-bits B]
//                                    [--weight-bits B] [--guard-bits G] [--layers yes]
//
// Activations have 8 bits unless told otherwise, weights as many as `compile` gives them (app/precision.h).
// --guard-bits G also prints how many labels stay when the lowest bits of every truncation but G are dropped by each
// party for itself, as policy `budget` does. --layers yes also prints what each layer adds to the error.
//
// Calibration images are training images; without labels for the enlarged ones agreement is all there is. One
// line of JSON per network: agreement (integer label == float label), and top-1 of both where labels mean
// something. Data: $AUTOPRIVACY_DATA.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "app/precision.h"
#include "base/error.h"
#include "base/parallel.h"
#include "nn/data/accuracy.h"
#include "nn/data/dataset.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/integer_executor.h"
#include "nn/onnx/import.h"
#include "nn/quantise/agreement.h"
#include "nn/quantise/quantise.h"

namespace {

using namespace ap;

struct Case {
  const char* model;
  const char* test;
  const char* train;
  const char* normalization;
  bool labelled = true;
};

constexpr const char* kMnistTest = "mnist:mnist";
constexpr const char* kMnistTrain = "mnist-train:mnist";
constexpr const char* kCifar10Test = "cifar10:cifar10/test_batch_reordered.bin.xz";
constexpr const char* kCifar10Train = "cifar10:cifar10/data_batch_1.bin.xz";
constexpr const char* kCifar100Test = "cifar100:cifar100/test_reordered.bin.xz";
constexpr const char* kCifar100Train = "cifar100:cifar100/train_subset_20k.bin.xz";
constexpr const char* kImageNet = "mean=.485,.456,.406 std=.229,.224,.225";
constexpr const char* kFaces = "mean=0.48149803921568624,0.4588274509803922,0.40901176470588235";

const Case kCases[] = {
    {"models/cnn_mnist_relu_maxpool", kMnistTest, kMnistTrain, "scale=127.5 mean=1"},
    {"models/cryptonets_mnist_square", kMnistTest, kMnistTrain, "scale=256"},
    {"models/minionn_cifar10_relu6", kCifar10Test, kCifar10Train, ""},
    {"models/minionn_cifar10_poly5", kCifar10Test, kCifar10Train, ""},
    {"models/resnet20_cifar10", kCifar10Test, kCifar10Train, kImageNet},
    {"models/resnet32_cifar10", kCifar10Test, kCifar10Train, kImageNet},
    {"models/squeezenet_cifar10", kCifar10Test, kCifar10Train, ""},
    {"models/resnet32_cifar100", kCifar100Test, kCifar100Train, "mean=.507,.487,.441 std=.267,.256,.276"},
    {"models/resnet32_cifar100_delphi_relu6", kCifar100Test, kCifar100Train, ""},
    {"models/mobilenetv2_cifar10", kCifar10Test, kCifar10Train,
     "mean=.4914,.4822,.4465 std=.2023,.1994,.2010"},
    {"imagenet_scale/face_expression_112", kCifar10Test, kCifar10Train, kFaces, false},
    {"imagenet_scale/gender_112", kCifar10Test, kCifar10Train, kFaces, false},
    {"imagenet_scale/moderation_mobilenetv2_224", kCifar10Test, kCifar10Train, "", false},
    {"imagenet_scale/moderation_inceptionv3_299", kCifar10Test, kCifar10Train, "", false},
};

std::filesystem::path data_root() {
  const char* given = std::getenv("AUTOPRIVACY_DATA");
  return given ? given : "../shared/data";
}

std::string located(const std::string& argument) {
  const auto colon = argument.find(':');
  return argument.substr(0, colon + 1) + (data_root() / argument.substr(colon + 1)).string();
}

/// Where output position `to` of `size_out` lies between two inputs: half-pixel centres, edges repeated.
struct Between {
  std::size_t low, high;
  double share;
};
Between between(int to, int size_in, int size_out) {
  const double at = std::clamp((to + 0.5) * size_in / size_out - 0.5, 0.0, size_in - 1.0);
  const auto low = static_cast<std::size_t>(at);
  return {low, std::min(low + 1, static_cast<std::size_t>(size_in) - 1), at - std::floor(at)};
}

/// The images at another height and width.
nn::Dataset enlarged(const nn::Dataset& images, const nn::Shape& wanted) {
  if (images.shape.size() == wanted.size()) return images;
  const nn::Shape from = images.shape;
  nn::Dataset out;
  out.shape = {from.c, wanted.h, wanted.w};
  out.labels = images.labels;
  const std::size_t count = images.size(), w = static_cast<std::size_t>(from.w),
                    plane = w * static_cast<std::size_t>(from.h);
  out.bytes.reserve(count * static_cast<std::size_t>(out.shape.size()));
  for (std::size_t p = 0; p < count * static_cast<std::size_t>(from.c); ++p) {
    const std::uint8_t* in = &images.bytes[p * plane];
    for (int y = 0; y < wanted.h; ++y) {
      const Between v = between(y, from.h, wanted.h);
      for (int x = 0; x < wanted.w; ++x) {
        const Between u = between(x, from.w, wanted.w);
        const auto row = [&](std::size_t r) {
          return in[r * w + u.low] * (1 - u.share) + in[r * w + u.high] * u.share;
        };
        out.bytes.push_back(
            static_cast<std::uint8_t>(std::lround(row(v.low) * (1 - v.share) + row(v.high) * v.share)));
      }
    }
  }
  return out;
}

struct Options {
  std::string only;
  std::int64_t images = 200, calibration = 64;
  int activation_bits = 8, weight_bits = 0;  ///< 0: as many as compile chooses
  int guard_bits = -1;                       ///< -1: nothing is simulated
  bool layers = false;
};

/// One line a node: its error and what of it is its own, relative to the variance of its values.
void print_layers(const nn::Graph& graph, std::span<const nn::Tensor> images,
                  const nn::QuantiseOptions& options) {
  const auto few = images.first(std::min<std::size_t>(images.size(), 8));
  for (const nn::LayerError& e : nn::layer_errors(nn::quantise_with_reference(graph, images, options), few)) {
    fmt::print("{:<50} {:<14} {:.5f} {:.5f}\n", e.name, e.op, e.error, e.added);
  }
}

void measure(const Case& c, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const nn::Graph graph = nn::import_onnx(data_root() / fmt::format("{}.onnx", c.model));
  const nn::Normalization normalization = nn::Normalization::parse(c.normalization);
  const auto load = [&](const char* argument, std::int64_t count) {
    return enlarged(nn::load_dataset(located(argument), {0, count}), graph.input_shape());
  };
  nn::QuantisedNetwork network;
  int weight_bits = 0;
  double expected = 0;
  {
    const nn::Dataset train = load(c.train, options.calibration);
    std::vector<nn::Tensor> calibration;
    for (std::size_t i = 0; i < train.size(); ++i) calibration.push_back(train.input(i, normalization));
    nn::QuantiseOptions quantise;
    quantise.activation_bits = options.activation_bits;
    quantise.weight_bits = options.weight_bits;
    if (options.weight_bits > 0) {
      network = nn::quantise(graph, calibration, quantise);
    } else {
      app::Precision precision =
          app::choose_precision(graph, train, normalization, 0, options.activation_bits);
      quantise.weight_bits = precision.weight_bits;
      expected = precision.expected_kept;
      network = std::move(precision.network);
    }
    weight_bits = quantise.weight_bits;
    if (options.layers) print_layers(graph, calibration, quantise);
  }
  const double quantised = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const nn::Dataset test = load(c.test, options.images);
  const nn::IntegerExecutor executor(network);
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  std::size_t same = 0, right_float = 0, right = 0;
  constexpr std::size_t kBatch = 8;
  for (std::size_t begin = 0; begin < test.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, test.size());
    const std::vector<float> inputs = test.inputs(begin, end, normalization);
    const std::vector<float> logits = nn::logits(graph, inputs);
    const std::vector<int> wanted = nn::predictions(std::span<const float>(logits), classes);
    std::vector<int> got(end - begin);
    const std::size_t size = inputs.size() / got.size();
    parallel_for(got.size(), [&](std::size_t i) {
      const auto in = nn::quantise_input(network, std::span(inputs).subspan(i * size, size));
      const std::vector<std::int32_t> integers = executor.logits(in);
      got[i] = nn::argmax(std::span<const std::int32_t>(integers));
    });
    for (std::size_t i = 0; i < got.size(); ++i) {
      same += got[i] == wanted[i];
      if (!c.labelled) continue;
      right_float += wanted[i] == test.labels[begin + i];
      right += got[i] == test.labels[begin + i];
    }
  }
  const auto percent = [&](std::size_t n) {
    return 100.0 * static_cast<double>(n) / static_cast<double>(test.size());
  };
  fmt::print("{{\"network\": \"{}\", \"images\": {}, \"weight_bits\": {}, \"agreement\": {:.2f}", c.model,
             test.size(), weight_bits, percent(same));
  if (c.labelled)
    fmt::print(", \"float\": {:.2f}, \"integers\": {:.2f}", percent(right_float), percent(right));
  if (expected > 0) fmt::print(", \"expected\": {:.2f}", 100 * expected);
  if (options.guard_bits >= 0) {
    const double kept = app::simulated_agreement(network, test, normalization, options.guard_bits, 1, 1);
    fmt::print(", \"truncated\": {:.2f}", 100 * kept);
  }
  fmt::print(", \"quantise_s\": {:.1f}}}\n", quantised);
  std::fflush(stdout);
}

Options parse(int argc, char** argv) {
  Options options;
  if (argc % 2 == 0) {
    fail_input(
        "options are --only NAME,... --images N --calibration N --activation-bits B --weight-bits B --guard-bits G "
        "--layers yes, each with its value");
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--only") {
      options.only = "," + value + ",";
    } else if (name == "--images") {
      options.images = std::stoll(value);
    } else if (name == "--calibration") {
      options.calibration = std::stoll(value);
    } else if (name == "--activation-bits") {
      options.activation_bits = std::stoi(value);
    } else if (name == "--weight-bits") {
      options.weight_bits = std::stoi(value);
    } else if (name == "--guard-bits") {
      options.guard_bits = std::stoi(value);
    } else if (name == "--layers") {
      options.layers = value == "yes";
    } else {
      fail_input("there is no option {}", name);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    for (const Case& c : kCases) {
      const std::string name = std::filesystem::path(c.model).filename();
      if (!options.only.empty() && options.only.find("," + name + ",") == std::string::npos) continue;
      measure(c, options);
    }
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "quantisation: {}\n", e.what());
    return 2;
  }
}

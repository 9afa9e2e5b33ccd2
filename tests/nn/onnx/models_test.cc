// The trained networks of the data kit against the logits that were recorded with them, and (slow, only when
// AP_SLOW=1 is set) their accuracy over the complete test sets.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <iostream>

#include "base/files.h"
#include "nn/data/accuracy.h"
#include "nn/data/dataset.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

constexpr const char* kImageNet = "mean=0.485,0.456,0.406 std=0.229,0.224,0.225";

struct Model {
  const char* name;
  const char* data;  ///< scheme and file inside the kit
  const char* normalization;
  double top1;  ///< percent over the 10,000 test images, as the kit states it
  int relus;    ///< ReLU and Clip elements of one image, as the kit states it

  std::string argument() const {
    const std::string text = data;
    const std::size_t colon = text.find(':');
    return text.substr(0, colon + 1) + (data_folder() / text.substr(colon + 1)).string();
  }
  std::filesystem::path data_path() const {
    const std::filesystem::path path(argument().substr(argument().find(':') + 1));
    return std::filesystem::is_directory(path) ? path / "t10k-images-idx3-ubyte.gz" : path;
  }
  std::filesystem::path file(const char* extension) const {
    return data_folder() / "models" / (std::string(name) + extension);
  }
};

void PrintTo(const Model& model, std::ostream* out) { *out << model.name; }

constexpr const char* kCifar10 = "cifar10:cifar10/test_batch_reordered.bin.xz";
constexpr const char* kCifar100 = "cifar100:cifar100/test_reordered.bin.xz";

const Model kModels[] = {
    {"resnet20_cifar10", kCifar10, kImageNet, 91.73, 188'416},
    {"resnet20_cifar10_bn_unfolded", kCifar10, kImageNet, 91.73, 188'416},
    {"resnet32_cifar10", kCifar10, kImageNet, 92.63, 303'104},
    {"resnet32_cifar100", kCifar100, "mean=0.507,0.487,0.441 std=0.267,0.256,0.276", 71.70, 237'568},
    {"resnet32_cifar100_delphi_relu6", kCifar100, "", 69.46, 303'104},
    {"minionn_cifar10_relu6", kCifar10, "", 85.02, 173'056},
    {"minionn_cifar10_poly5", kCifar10, "", 85.33, 20'480},
    {"mobilenetv2_cifar10", kCifar10, "mean=0.4914,0.4822,0.4465 std=0.2023,0.1994,0.2010", 89.11, 761'856},
    {"squeezenet_cifar10", kCifar10, "", 77.06, 43'114},
    {"cnn_mnist_relu_maxpool", "mnist:mnist", "scale=127.5 mean=1", 98.77, 37'760},
    {"cryptonets_mnist_square", "mnist:mnist", "scale=256", 98.96, 0},
};

class Models : public ::testing::TestWithParam<Model> {};

TEST_P(Models, LogitsOfTheFirstImagesAreTheRecordedOnes) {
  const Model& model = GetParam();
  AP_SKIP_WITHOUT(model.file(".onnx"));
  AP_SKIP_WITHOUT(model.file(".logits100.f32"));
  AP_SKIP_WITHOUT(model.data_path());
  constexpr std::size_t kImages = 10;
  const Graph graph = import_onnx(model.file(".onnx"));
  const Dataset data = load_dataset(model.argument(), {0, kImages}, graph.input_shape());
  ASSERT_EQ(data.size(), kImages);
  const auto got = logits(graph, data.inputs(0, kImages, Normalization::parse(model.normalization)));
  const Bytes file = read_file(model.file(".logits100.f32"), 1 << 20);
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  ASSERT_EQ(file.size(), 100 * classes * sizeof(float));
  std::vector<float> wanted(got.size());
  std::memcpy(wanted.data(), file.data(), wanted.size() * sizeof(float));
  expect_near(got, wanted, 1e-3);
  int relus = 0;
  for (const Node& node : graph.nodes) {
    relus += std::holds_alternative<ClipOp>(node.op) ? static_cast<int>(node.shape.size()) : 0;
    EXPECT_FALSE(std::holds_alternative<AffineOp>(node.op)) << node.name << " was not folded";
  }
  EXPECT_EQ(relus, model.relus);
}

TEST_P(Models, SlowAccuracyOverTheTestSet) {
  if (!std::getenv("AP_SLOW"))
    GTEST_SKIP() << "set AP_SLOW=1 (all images) or AP_SLOW=N (the first N) to run this";
  const Model& model = GetParam();
  AP_SKIP_WITHOUT(model.file(".onnx"));
  AP_SKIP_WITHOUT(model.data_path());
  const long limit = std::atol(std::getenv("AP_SLOW"));
  const Graph graph = import_onnx(model.file(".onnx"));
  const Dataset data = load_dataset(model.argument(), {0, limit > 1 ? limit : 10'000}, graph.input_shape());
  const auto inputs = data.inputs(0, data.size(), Normalization::parse(model.normalization));
  const auto start = std::chrono::steady_clock::now();
  const auto out = logits(graph, inputs);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  const auto predicted =
      predictions(std::span<const float>(out), static_cast<std::size_t>(graph.output_shape().size()));
  const double percent = 100 * top1(predicted, data.labels);
  std::cout << fmt::format("{}: top-1 {:.2f} % of {} images (kit: {:.2f} %), {:.0f} images/s\n", model.name,
                           percent, data.size(), model.top1, static_cast<double>(data.size()) / time.count());
  if (data.size() == 10'000) {
    EXPECT_NEAR(percent, model.top1, 0.015);
  }
}

INSTANTIATE_TEST_SUITE_P(Kit, Models, ::testing::ValuesIn(kModels),
                         [](const auto& model) { return std::string(model.param.name); });

}  // namespace
}  // namespace ap::nn

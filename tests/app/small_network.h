// A network that a test runs privately in a moment: 1x6x6 image, convolution to 2 channels, ReLU, fully
// connected layer to 3 classes. As an ONNX file, as images, and compiled.
#pragma once

#include <random>

#include "app/client.h"
#include "app/compile.h"
#include "nn/execute/integer_executor.h"
#include "nn/onnx/import.h"
#include "tests/nn/onnx/onnx_builder.h"

namespace ap::app {

inline constexpr int kSmallSide = 6;
inline constexpr int kSmallClasses = 3;

inline Bytes small_onnx(int channels = 2) {
  std::mt19937 random(7);
  nn::OnnxBuilder b({1, kSmallSide, kSmallSide});
  const auto c = static_cast<std::int64_t>(channels);
  const auto weights = nn::random_floats(static_cast<std::size_t>(9 * c), random);
  const auto bias = nn::random_floats(static_cast<std::size_t>(c), random);
  const std::int64_t features = c * kSmallSide * kSmallSide;
  const auto dense =
      nn::random_floats(static_cast<std::size_t>(kSmallClasses * features), random, -0.3F, 0.3F);
  const auto offsets = nn::random_floats(kSmallClasses, random);
  const std::string conv = b.node("Conv", {"input", b.constant({c, 1, 3, 3}, weights), b.constant({c}, bias)},
                                  {{"kernel_shape", nn::Dims{3, 3}}, {"pads", nn::Dims{1, 1, 1, 1}}});
  const std::string flat = b.node("Flatten", {b.node("Relu", {conv})}, {{"axis", 1}});
  return b.bytes(b.node(
      "Gemm", {flat, b.constant({kSmallClasses, features}, dense), b.constant({kSmallClasses}, offsets)},
      {{"transB", 1}}));
}

inline nn::Dataset small_images(std::size_t count, std::uint32_t seed = 1) {
  nn::Dataset data;
  data.source = "memory";
  data.shape = {1, kSmallSide, kSmallSide};
  std::mt19937 random(seed);
  data.bytes.resize(count * kSmallSide * kSmallSide);
  for (std::uint8_t& pixel : data.bytes) pixel = static_cast<std::uint8_t>(random());
  for (std::size_t i = 0; i < count; ++i) data.labels.push_back(static_cast<int>(random() % kSmallClasses));
  return data;
}

inline Compiled compile_small(int channels = 2) {
  CompileOptions options;
  options.labels = {"cat", "dog", "fish"};
  return compile(nn::import_onnx_bytes(small_onnx(channels), "small"), small_images(16), nn::Normalization{},
                 options);
}

inline std::vector<Image> small_inputs(const package::Package& package, std::size_t count,
                                       std::uint32_t seed = 2) {
  const nn::Dataset data = small_images(count, seed);
  std::vector<Image> images;
  for (std::size_t i = 0; i < count; ++i) {
    const auto values = nn::quantise_input(package.network, data.input(i, nn::Normalization{}).data);
    images.emplace_back(values.begin(), values.end());
  }
  return images;
}

}  // namespace ap::app

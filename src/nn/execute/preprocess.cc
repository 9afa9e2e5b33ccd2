#include "nn/execute/preprocess.h"

#include <cmath>

#include "base/error.h"
#include "nn/execute/integer_executor.h"

namespace ap::nn {

SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, std::span<const float> normalised) {
  std::vector<std::int32_t> values = quantise_input(network, normalised);
  SecretVector<std::int32_t> input(values.begin(), values.end());
  wipe(values.data(), values.size() * sizeof(values[0]));
  return input;
}

SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, const Dataset& images, std::size_t i,
                                      const Normalization& normalization) {
  std::vector<float> pixels = images.inputs(i, i + 1, normalization);
  SecretVector<std::int32_t> input = preprocess(network, pixels);
  wipe(pixels.data(), pixels.size() * sizeof(pixels[0]));
  return input;
}

SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, std::span<const std::uint8_t> pixels,
                                      const Shape& shape, const Normalization& normalization) {
  if (pixels.size() != static_cast<std::size_t>(shape.size())) {
    fail_input("an image of shape {} has {} pixels, but {} were given", to_string(shape), shape.size(),
               pixels.size());
  }
  Dataset image;
  image.shape = shape;
  image.bytes.assign(pixels.begin(), pixels.end());
  SecretVector<std::int32_t> input = preprocess(network, image, 0, normalization);
  wipe(image.bytes.data(), image.bytes.size());
  return input;
}

std::size_t saturated(const QuantisedNetwork& network, const Dataset& images, std::size_t i,
                      const Normalization& normalization) {
  std::vector<float> values = images.inputs(i, i + 1, normalization);
  const QNode& input = network.nodes.front();
  std::size_t count = 0;
  for (const float value : values) {
    const double level = std::round(double{value} / input.scale);
    count += level < static_cast<double>(input.low) || level > static_cast<double>(input.high) ? 1 : 0;
  }
  wipe(values.data(), values.size() * sizeof(values[0]));
  return count;
}

std::vector<std::int32_t> preprocess_all(const QuantisedNetwork& network, const Dataset& images,
                                         const Normalization& normalization) {
  std::vector<std::int32_t> all;
  all.reserve(images.size() * static_cast<std::size_t>(network.input_shape().size()));
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto one = preprocess(network, images, i, normalization);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace ap::nn

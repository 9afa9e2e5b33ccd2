// From pixels to what a network is given; apart from the readers, which need libraries.
#include "base/error.h"
#include "nn/data/dataset.h"

namespace ap::nn {

std::size_t Dataset::size() const {
  const auto values = static_cast<std::size_t>(shape.size());
  return values == 0 ? 0 : (floats.empty() ? bytes.size() : floats.size()) / values;
}

std::vector<float> Dataset::inputs(std::size_t begin, std::size_t end,
                                   const Normalization& normalization) const {
  AP_ASSERT(begin <= end && end <= size());
  normalization.check(shape.c);
  const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
  const auto channels = static_cast<std::size_t>(shape.c);
  std::vector<float> out((end - begin) * channels * plane);
  const std::size_t offset = begin * channels * plane;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double pixel = floats.empty() ? bytes[offset + i] : static_cast<double>(floats[offset + i]);
    out[i] =
        static_cast<float>(normalization.apply(pixel, static_cast<int>(i / plane % channels), pixel_kind()));
  }
  return out;
}

Tensor Dataset::input(std::size_t i, const Normalization& normalization) const {
  return {shape, inputs(i, i + 1, normalization)};
}

}  // namespace ap::nn

#include <autoprivacy/images.h>

#include <algorithm>
#include <cstdint>

#include "app/api/translate.h"
#include "base/error.h"
#include "nn/data/dataset.h"

namespace autoprivacy {

using ap::app::translated;

std::size_t Images::size() const {
  const bool has_shape = shape.channels > 0 && shape.height > 0 && shape.width > 0;
  return has_shape ? (floats.empty() ? pixels.size() : floats.size()) / shape.size() : 0;
}

std::span<const std::uint8_t> Images::image(std::size_t i) const {
  return translated([&] {
    if (!floats.empty()) ap::fail_input("these images are floats; they have no 8-bit pixels");
    if (i >= size()) ap::fail_input("there is no image {} among {}", i, size());
    return std::span(pixels).subspan(i * shape.size(), shape.size());
  });
}

Images load_images(const std::string& source, std::size_t first, std::size_t count,
                   const std::string& framing) {
  return translated([&] {
    constexpr std::size_t kMost = INT64_MAX;
    if (first > kMost) ap::fail_input("there is no image {} in {}", first, source);
    const auto begin = static_cast<std::int64_t>(first);
    const auto end = static_cast<std::int64_t>(first + std::min(count, kMost - first));
    ap::nn::Dataset data =
        ap::nn::load_dataset(source, {begin, end}, {}, {{}, ap::nn::Framing::parse(framing), {}});
    return Images{{data.shape.c, data.shape.h, data.shape.w},
                  std::move(data.bytes),
                  std::move(data.floats),
                  std::move(data.labels)};
  });
}

std::vector<std::uint8_t> channels_first(std::span<const std::uint8_t> pixels, const Shape& shape) {
  return translated([&] {
    const bool has_shape = shape.channels > 0 && shape.height > 0 && shape.width > 0;
    if (!has_shape || pixels.size() != shape.size()) {
      ap::fail_input("{} pixels are no image of {} channels, height {} and width {}", pixels.size(),
                     shape.channels, shape.height, shape.width);
    }
    const auto channels = static_cast<std::size_t>(shape.channels);
    const std::size_t plane = shape.size() / channels;
    std::vector<std::uint8_t> out(shape.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i % channels * plane + i / channels] = pixels[i];
    return out;
  });
}

}  // namespace autoprivacy

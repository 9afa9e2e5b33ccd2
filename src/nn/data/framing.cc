#include "nn/data/framing.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "nn/data/picture_decoders.h"

namespace ap::nn {
namespace {

constexpr int kWeightBits = 22;

/// What an output pixel is made of: `weights` of the input pixels from `first` on.
struct Mixture {
  int first = 0;
  std::vector<std::int32_t> weights;
};

/// In floating point and in the order of PIL's precompute_coeffs, so that the integers come out the same.
std::vector<Mixture> mixtures(int in, int out) {
  std::vector<Mixture> result(static_cast<std::size_t>(out));
  const double scale = static_cast<double>(in) / out, half_width = std::max(scale, 1.0);
  std::vector<double> values;
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - half_width + 0.5));
    const int end = std::min(in, static_cast<int>(centre + half_width + 0.5));
    values.clear();
    double sum = 0;
    for (int k = first; k < end; ++k) {
      const double distance = std::abs((k - centre + 0.5) * (1.0 / half_width));
      values.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
      sum += values.back();
    }
    Mixture& mixture = result[static_cast<std::size_t>(i)];
    mixture.first = first;
    for (const double value : values)
      mixture.weights.push_back(
          static_cast<std::int32_t>(0.5 + (sum != 0 ? value / sum : value) * (1 << kWeightBits)));
  }
  return result;
}

/// Rows of pixels [outer][in][inner] become [outer][out][inner].
std::vector<std::uint8_t> scale_axis(const std::vector<std::uint8_t>& from, std::size_t outer, int in,
                                     int out, std::size_t inner) {
  const std::vector<Mixture> all = mixtures(in, out);
  std::vector<std::uint8_t> to(outer * static_cast<std::size_t>(out) * inner);
  std::vector<std::int32_t> sums(inner);
  std::uint8_t* next = to.data();
  for (std::size_t o = 0; o < outer; ++o) {
    const std::uint8_t* block = from.data() + o * static_cast<std::size_t>(in) * inner;
    for (const Mixture& mixture : all) {
      std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));
      const std::uint8_t* pixel = block + static_cast<std::size_t>(mixture.first) * inner;
      for (const std::int32_t weight : mixture.weights) {
        for (std::size_t i = 0; i < inner; ++i) sums[i] += weight * *pixel++;
      }
      for (const std::int32_t sum : sums)
        *next++ = static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
    }
  }
  return to;
}

/// A half goes to the even number, as Python rounds.
int middle(int outside, int inside) { return static_cast<int>(std::nearbyint((outside - inside) / 2.0)); }

std::string text_of(Extent e) {
  return e.height == e.width ? fmt::format("{}", e.height) : fmt::format("{}x{}", e.height, e.width);
}

}  // namespace

Extent parse_extent(std::string_view text, std::string_view what) {
  const auto side = [&](std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 1 ||
        value > static_cast<int>(kMaxPictureSide)) {
      fail_input(
          "{} {} is no size; write one side, as in 224, or height and width, as in 224x224, each 1 to {}",
          what, text, kMaxPictureSide);
    }
    return value;
  };
  const std::size_t x = text.find('x');
  const int height = side(text.substr(0, x));
  return {height, x == std::string_view::npos ? height : side(text.substr(x + 1))};
}

Framing Framing::parse(std::string_view text) {
  Framing out;
  while (true) {
    const std::size_t start = text.find_first_not_of(' ');
    if (start == std::string_view::npos) return out;
    text.remove_prefix(start);
    const std::string_view part = text.substr(0, text.find(' '));
    text.remove_prefix(part.size());
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals),
                           value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    const bool resizes = key == "resize";
    if (equals == std::string_view::npos || (!resizes && key != "crop")) {
      fail_input(
          "\"{}\" says nothing about the size of pictures; the parts are resize=S or HxW and crop=S or HxW",
          part);
    }
    if (resizes ? out.shorter > 0 || out.resize.height > 0 : out.crop.height > 0)
      fail_input("{} is given twice", key);
    const Extent extent = parse_extent(value, key);
    if (!resizes) {
      out.crop = extent;
    } else if (value.find('x') == std::string_view::npos) {
      out.shorter = extent.height;
    } else {
      out.resize = extent;
    }
  }
}

std::string Framing::to_string() const {
  std::string out;
  if (shorter > 0) out = fmt::format("resize={}", shorter);
  if (resize.height > 0) out = fmt::format("resize={}x{}", resize.height, resize.width);
  if (crop.height > 0) out += fmt::format("{}crop={}", out.empty() ? "" : " ", text_of(crop));
  return out;
}

Extent Framing::size_of(Extent picture, const std::string& name) const {
  Extent size = resize.height > 0 ? resize : picture;
  const auto check = [&](std::int64_t width, std::int64_t height) {
    check_picture_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height),
                       name + ", scaled,");
  };
  if (shorter > 0) {
    const std::int64_t least = std::min(picture.height, picture.width),
                       most = std::max(picture.height, picture.width);
    const std::int64_t longer = shorter * most / least;
    check(picture.height <= picture.width ? longer : shorter,
          picture.height <= picture.width ? shorter : longer);
    const auto side = static_cast<int>(longer);
    size = picture.height <= picture.width ? Extent{shorter, side} : Extent{side, shorter};
  }
  check(size.width, size.height);
  if (crop.height == 0) return size;
  if (size.height < crop.height || size.width < crop.width) {
    fail_input(
        "{} has {} rows and {} columns{}, fewer than the {} and {} of --crop; scale it up with --resize {}",
        name, size.height, size.width, shorter > 0 || resize.height > 0 ? " when scaled" : "", crop.height,
        crop.width, std::max(crop.height, crop.width));
  }
  return crop;
}

Picture scaled(const Picture& picture, Extent size) {
  Picture out = picture;
  const auto channels = static_cast<std::size_t>(picture.channels);
  if (size.width != picture.width)
    out.pixels =
        scale_axis(out.pixels, static_cast<std::size_t>(picture.height), picture.width, size.width, channels);
  if (size.height != picture.height)
    out.pixels = scale_axis(out.pixels, 1, picture.height, size.height,
                            static_cast<std::size_t>(size.width) * channels);
  out.height = size.height;
  out.width = size.width;
  return out;
}

Picture Framing::apply(Picture picture, const std::string& name) const {
  const Extent end = size_of({picture.height, picture.width}, name);
  if (shorter > 0 || resize.height > 0) {
    Framing scaling = *this;
    scaling.crop = {};
    picture = scaled(picture, scaling.size_of({picture.height, picture.width}, name));
  }
  if (picture.height == end.height && picture.width == end.width) return picture;
  const auto channels = static_cast<std::size_t>(picture.channels);
  const auto top = static_cast<std::size_t>(middle(picture.height, end.height)),
             left = static_cast<std::size_t>(middle(picture.width, end.width));
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(end.height) * static_cast<std::size_t>(end.width) * channels);
  for (std::size_t y = 0; y < static_cast<std::size_t>(end.height); ++y) {
    const auto* row =
        picture.pixels.data() + ((top + y) * static_cast<std::size_t>(picture.width) + left) * channels;
    pixels.insert(pixels.end(), row, row + static_cast<std::size_t>(end.width) * channels);
  }
  picture.pixels = std::move(pixels);
  picture.height = end.height;
  picture.width = end.width;
  return picture;
}

}  // namespace ap::nn

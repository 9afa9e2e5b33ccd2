#include "nn/data/picture.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "nn/data/picture_decoders.h"

namespace ap::nn {
namespace {

constexpr int kUpright = 1, kLastOrientation = 8, kFirstSideways = 5;

/// 16 and 32 bits in either byte order; `at` must lie within.
struct Tiff {
  ByteView bytes;
  bool big = false;
  std::uint32_t number(std::size_t at, std::size_t width) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8 | bytes[at + (big ? i : width - 1 - i)];
    return value;
  }
};

/// The picture that EXIF orientation `orientation` asks to be shown.
Picture turned(const Picture& from, int orientation) {
  const bool sideways = orientation >= kFirstSideways;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Picture to = from;
  if (sideways) std::swap(to.height, to.width);
  to.was_turned = true;
  const auto channels = static_cast<std::size_t>(from.channels);
  std::uint8_t* out = to.pixels.data();
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x, out += channels) {
      const int row = sideways ? x : y, column = sideways ? y : x;
      const int from_y = flip_y ? from.height - 1 - row : row;
      const int from_x = flip_x ? from.width - 1 - column : column;
      const std::size_t at = (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(from.width) +
                              static_cast<std::size_t>(from_x)) *
                             channels;
      std::copy_n(from.pixels.data() + at, channels, out);
    }
  }
  return to;
}

}  // namespace

int exif_orientation(ByteView tiff) {
  constexpr std::size_t kHead = 8, kEntry = 12;
  constexpr std::uint32_t kOrientationTag = 0x0112, kShort = 3;
  if (tiff.size() < kHead) return kUpright;
  Tiff in{tiff};
  in.big = tiff[0] == 'M' && tiff[1] == 'M';
  if (!in.big && !(tiff[0] == 'I' && tiff[1] == 'I')) return kUpright;
  if (in.number(2, 2) != 42) return kUpright;
  const std::size_t list = in.number(4, 4);
  if (list > tiff.size() - 2) return kUpright;
  const std::size_t count = std::min<std::size_t>(in.number(list, 2), (tiff.size() - list - 2) / kEntry);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = list + 2 + i * kEntry;
    if (in.number(at, 2) != kOrientationTag || in.number(at + 2, 2) != kShort || in.number(at + 4, 4) != 1)
      continue;
    const auto value = static_cast<int>(in.number(at + 8, 2));
    return value >= kUpright && value <= kLastOrientation ? value : kUpright;
  }
  return kUpright;
}

Picture decode_picture(ByteView file, const std::string& name) {
  static constexpr std::uint8_t kPng[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                                kJpeg[] = {0xff, 0xd8, 0xff};
  const auto starts_with = [&](std::span<const std::uint8_t> magic) {
    return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
  };
  int orientation = kUpright;
  Picture picture;
  if (starts_with(kPng)) {
    picture = decode_png(file, name, orientation);
  } else if (starts_with(kJpeg)) {
    picture = decode_jpeg(file, name, orientation);
  } else {
    fail_input("{} is neither a PNG nor a JPEG image, whatever its name says, or its beginning is damaged",
               name);
  }
  return orientation == kUpright ? picture : turned(picture, orientation);
}

}  // namespace ap::nn

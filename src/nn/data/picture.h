// PNG and JPEG files as pixels. The rules, one for each thing that programs do differently (docs/data.md):
//
//   gamma, profiles   ignored: a pixel is the number in the file
//   16 bits           the high byte
//   fewer than 8      spread over 0..255 (1 bit: 0 and 255)
//   palette           its colours
//   alpha             left out, whatever lies under it shows
//   colour for grey   (19595 R + 38470 G + 7471 B + 32768) / 65536, the weights of ITU-R 601
//   grey for colour   the same value three times
//   CMYK              as Adobe writes it, each ink subtracted
//   EXIF orientation  applied: the picture stands upright
//
// They are those of PIL (Image.convert, ImageOps.exif_transpose), so a network sees the pixels that it was trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ap::nn {

/// Longest side, and most pixels, of a picture that is read; both are checked before memory is taken for it.
inline constexpr std::uint32_t kMaxPictureSide = 16384;
inline constexpr std::uint64_t kMaxPicturePixels = std::uint64_t{1} << 26;

struct Picture {
  int channels = 0, height = 0, width = 0;  ///< channels: 1 grey, 3 red, green and blue
  std::vector<std::uint8_t> pixels;         ///< [height][width][channels]
  bool had_alpha = false;                   ///< it was left out
  bool is_jpeg = false;
  bool was_turned = false;  ///< by its orientation
};

/// A PNG or JPEG file, told apart by its first bytes; `name` stands for it in messages.
/// @throws Error(input) if it is neither, damaged, cut off or too large.
Picture decode_picture(ByteView file, const std::string& name);

/// With 1 or 3 channels.
Picture with_channels(Picture picture, int channels);

}  // namespace ap::nn

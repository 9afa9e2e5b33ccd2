// What is done with pixels; apart from the decoders, which need libraries.
#include "base/error.h"
#include "nn/data/picture.h"
#include "nn/data/picture_decoders.h"

namespace ap::nn {

void check_picture_size(std::uint64_t width, std::uint64_t height, const std::string& name) {
  if (width < 1 || height < 1 || width > kMaxPictureSide || height > kMaxPictureSide ||
      width * height > kMaxPicturePixels) {
    fail_input(
        "{} has {}x{} pixels; sides of 1 to {} and up to {} million pixels in all are read, so scale it down first",
        name, width, height, kMaxPictureSide, kMaxPicturePixels / 1'000'000);
  }
}

Picture with_channels(Picture picture, int channels) {
  AP_ASSERT((channels == 1 || channels == 3) && (picture.channels == 1 || picture.channels == 3));
  if (channels == picture.channels) return picture;
  std::vector<std::uint8_t> pixels;
  if (channels == 1) {
    constexpr std::uint32_t kRed = 19595, kGreen = 38470, kBlue = 7471, kHalf = 0x8000;
    pixels.resize(picture.pixels.size() / 3);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const std::uint8_t* rgb = picture.pixels.data() + 3 * i;
      pixels[i] = static_cast<std::uint8_t>((rgb[0] * kRed + rgb[1] * kGreen + rgb[2] * kBlue + kHalf) >> 16);
    }
  } else {
    pixels.resize(picture.pixels.size() * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = picture.pixels[i / 3];
  }
  picture.pixels = std::move(pixels);
  picture.channels = channels;
  return picture;
}

}  // namespace ap::nn

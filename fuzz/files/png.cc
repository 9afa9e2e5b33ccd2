// A folder with one PNG image.
#include <png.h>

#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "nn/data/dataset_formats.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  Choices choices(input);
  const int channels[] = {0, 1, 3};
  const int wanted = channels[choices.number(1) % 3];
  temporary_directory().write("image.png", input);
  const nn::Dataset data = nn::read_pictures(temporary_directory().path() / "image.png", wanted, {});
  require(data.size() == 1 && data.bytes.size() == static_cast<std::size_t>(data.shape.size()), "one image");
}

Bytes png(png_uint_32 format, int side) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = format;
  const Bytes pixels(PNG_IMAGE_SIZE(image), 100);
  png_alloc_size_t size = 0;
  if (!png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr)) std::abort();
  Bytes out(1 + size);
  if (!png_image_write_to_memory(&image, out.data() + 1, &size, 0, pixels.data(), 0, nullptr)) std::abort();
  return out;
}

std::vector<Bytes> seeds() {
  return {png(PNG_FORMAT_GRAY, 3), png(PNG_FORMAT_RGB, 2), png(PNG_FORMAT_RGBA, 2), png(PNG_FORMAT_GA, 9)};
}

// 67 million pixels are supported, so a few bytes may rightly stand for 200 MB of them.
const Register known({.name = "png",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 2048,
                      .dictionary = "png",
                      .largest_block_mb = 256});

}  // namespace
}  // namespace ap::fuzz

// A JPEG image, with EXIF data, scaled and cut to its middle.
#include <cstdio>
#include <cstdlib>

// It needs FILE from above.
#include <jpeglib.h>

#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "nn/data/dataset_formats.h"

namespace ap::fuzz {
namespace {

constexpr int kSide = 5;

void run(ByteView input) {
  Choices choices(input);
  const int channels[] = {0, 1, 3};
  const std::uint32_t choice = choices.number(1);
  nn::LoadOptions options;
  if (choice >= 128) options.framing = {kSide + 1, {}, {kSide, kSide}};
  const std::filesystem::path path = temporary_directory().write("image.jpg", input);
  const nn::Dataset data = nn::read_pictures(path, channels[choice % 3], {}, options);
  require(data.size() == 1 && data.bytes.size() == static_cast<std::size_t>(data.shape.size()), "one image");
  if (choice >= 128) require(data.shape.h == kSide && data.shape.w == kSide, "the size that was asked for");
}

/// `choice` is the first byte of the input; with `orientation` there is EXIF data that says so.
Bytes jpeg(std::uint8_t choice, J_COLOR_SPACE colours, int side, bool progressive, std::uint8_t orientation) {
  jpeg_compress_struct c;
  jpeg_error_mgr errors;
  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&c, &memory, &size);
  c.image_width = c.image_height = static_cast<JDIMENSION>(side);
  c.in_color_space = colours;
  c.input_components = colours == JCS_GRAYSCALE ? 1 : colours == JCS_RGB ? 3 : 4;
  jpeg_set_defaults(&c);
  if (progressive) jpeg_simple_progression(&c);
  jpeg_start_compress(&c, TRUE);
  if (orientation > 0) {
    const Bytes exif = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42,          0, 8, 0, 0, 0, 1, 0,
                        0x12, 1,   3,   0,   1, 0, 0,   0,   orientation, 0, 0, 0, 0, 0, 0, 0};
    jpeg_write_marker(&c, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  Bytes row(static_cast<std::size_t>(side * c.input_components));
  for (int y = 0; y < side; ++y) {
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = static_cast<std::uint8_t>(17 * i + 31 * static_cast<std::size_t>(y));
    JSAMPROW next = row.data();
    jpeg_write_scanlines(&c, &next, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  Bytes out = {choice};
  out.insert(out.end(), memory, memory + size);
  std::free(memory);
  return out;
}

std::vector<Bytes> seeds() {
  return {jpeg(0, JCS_GRAYSCALE, 9, false, 0), jpeg(1, JCS_RGB, 17, false, 6), jpeg(130, JCS_RGB, 8, true, 0),
          jpeg(131, JCS_CMYK, 3, false, 0)};
}

// 67 million pixels are supported, and a progressive picture holds 6 bytes of coefficients for each.
const Register known({.name = "jpeg",
                      .run = run,
                      .seeds = seeds,
                      .max_bytes = 4096,
                      .dictionary = "jpeg",
                      .largest_block_mb = 512});

}  // namespace
}  // namespace ap::fuzz

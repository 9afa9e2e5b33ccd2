// PNG and JPEG files for tests, made by the libraries' full interfaces.
#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <functional>

// It needs FILE from above.
#include <jpeglib.h>

#include "base/bytes.h"

namespace ap::nn {

/// A PNG of `rows`, as the file holds them; `set` adds palettes, gamma and the like before the header is written.
inline Bytes png_file(int width, int colour, int depth, const std::vector<Bytes>& rows,
                      int interlace = PNG_INTERLACE_NONE,
                      const std::function<void(png_structp, png_infop)>& set = {}) {
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp of, png_bytep data, std::size_t size) {
        auto& to = *static_cast<Bytes*>(png_get_io_ptr(of));
        to.insert(to.end(), data, data + size);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(rows.size()), depth,
               colour, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (set) set(png, info);
  png_write_info(png, info);
  std::vector<Bytes> copies = rows;
  std::vector<png_bytep> pointers;
  for (Bytes& row : copies) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

struct JpegOptions {
  bool progressive = false;
  int orientation = 0;      ///< EXIF; 0: none
  bool big_endian = false;  ///< of the EXIF data
};

/// EXIF data, without its "Exif", that have one entry besides the orientation.
inline Bytes exif_with(int orientation, bool big_endian) {
  Bytes out;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      out.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
  };
  out = big_endian ? Bytes{'M', 'M'} : Bytes{'I', 'I'};
  put(42, 2);
  put(8, 4);
  put(2, 2);
  for (const auto& [tag, value] : {std::pair(0x0100, 77), std::pair(0x0112, orientation)}) {
    put(static_cast<std::uint32_t>(tag), 2);
    put(3, 2);
    put(1, 4);
    put(static_cast<std::uint32_t>(value), 2);
    put(0, 2);
  }
  put(0, 4);
  return out;
}

/// A JPEG of the best quality and without subsampling, from pixels [height][width][components] of 1 (grey), 3 (RGB) or 4
/// (CMYK, stored as it is given) components.
inline Bytes jpeg_file(int height, int width, int components, const Bytes& pixels, JpegOptions options = {}) {
  jpeg_compress_struct c;
  jpeg_error_mgr errors;
  c.err = jpeg_std_error(&errors);
  jpeg_create_compress(&c);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&c, &memory, &size);
  c.image_width = static_cast<JDIMENSION>(width);
  c.image_height = static_cast<JDIMENSION>(height);
  c.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  c.input_components = components;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, 100, TRUE);
  for (int i = 0; i < components; ++i) c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;
  if (options.progressive) jpeg_simple_progression(&c);
  jpeg_start_compress(&c, TRUE);
  if (options.orientation > 0) {
    Bytes exif = {'E', 'x', 'i', 'f', 0, 0};
    const Bytes tiff = exif_with(options.orientation, options.big_endian);
    exif.insert(exif.end(), tiff.begin(), tiff.end());
    jpeg_write_marker(&c, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  Bytes copy = pixels;
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = copy.data() + y * width * components;
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  Bytes out(memory, memory + size);
  std::free(memory);
  return out;
}

}  // namespace ap::nn

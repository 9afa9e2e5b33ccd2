// PNG by libpng, without the conversions of its simplified interface: that one works in linear light.
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <new>

#include "base/error.h"
#include "nn/data/picture_decoders.h"

namespace ap::nn {
namespace {

/// libpng reports failures by longjmp, which must not pass over objects that have destructors: each step below is a
/// function without any.
class PngReader {
 public:
  explicit PngReader(ByteView file) : file_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &PngReader::fail, &PngReader::ignore);
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header();
  bool update();
  bool read_pixels(png_bytepp rows);

  const char* message() const { return message_; }
  png_uint_32 width() const { return png_get_image_width(png_, info_); }
  png_uint_32 height() const { return png_get_image_height(png_, info_); }
  int channels() const { return png_get_channels(png_, info_); }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  bool had_alpha() const { return had_alpha_; }
  ByteView exif() const {
    png_uint_32 size = 0;
    png_bytep bytes = nullptr;
    return png_get_eXIf_1(png_, info_, &size, &bytes) != 0 ? ByteView(bytes, size) : ByteView();
  }

 private:
  static PngReader& self(png_voidp pointer) { return *static_cast<PngReader*>(pointer); }
  [[noreturn]] static void fail(png_structp png, png_const_charp text) {
    PngReader& reader = self(png_get_error_ptr(png));
    std::strncpy(reader.message_, text, sizeof reader.message_ - 1);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
  static void give(png_structp png, png_bytep to, std::size_t size) {
    PngReader& reader = self(png_get_io_ptr(png));
    if (size > reader.file_.size()) png_error(png, "it is cut off");
    std::memcpy(to, reader.file_.data(), size);
    reader.file_ = reader.file_.subspan(size);
  }

  ByteView file_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool had_alpha_ = false;
  char message_[128] = {};
};

/// Sets the rules of picture.h.
bool PngReader::read_header() {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_set_read_fn(png_, this, &PngReader::give);
  png_read_info(png_, info_);
  const int colour = png_get_color_type(png_, info_), depth = png_get_bit_depth(png_, info_);
  had_alpha_ = (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
  if (depth == 16) png_set_strip_16(png_);
  if (had_alpha_) png_set_strip_alpha(png_);
  png_set_interlace_handling(png_);
  return true;
}

/// Prepares for the pixels, which takes memory for rows.
bool PngReader::update() {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_read_update_info(png_, info_);
  return true;
}

bool PngReader::read_pixels(png_bytepp rows) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  png_read_image(png_, rows);
  png_read_end(png_, info_);
  return true;
}

}  // namespace

Picture decode_png(ByteView file, const std::string& name, int& orientation) {
  PngReader png(file);
  const auto damaged = [&] { fail_input("{} is a damaged PNG image: {}", name, png.message()); };
  if (!png.read_header()) damaged();
  check_picture_size(png.width(), png.height(), name);
  if (!png.update()) damaged();
  Picture out;
  out.width = static_cast<int>(png.width());
  out.height = static_cast<int>(png.height());
  out.channels = png.channels();
  out.had_alpha = png.had_alpha();
  const std::size_t row = png.row_bytes();
  AP_ASSERT((out.channels == 1 || out.channels == 3) &&
            row == std::size_t{png.width()} * static_cast<std::size_t>(out.channels));
  out.pixels.resize(row * png.height());
  std::vector<png_bytep> rows(png.height());
  for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = out.pixels.data() + y * row;
  if (!png.read_pixels(rows.data())) damaged();
  orientation = exif_orientation(png.exif());
  return out;
}

}  // namespace ap::nn

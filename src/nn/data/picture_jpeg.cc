// JPEG by libjpeg-turbo.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>

// These need size_t and FILE from above.
#include <jerror.h>
#include <jpeglib.h>

#include "base/error.h"
#include "nn/data/picture_decoders.h"

namespace ap::nn {
namespace {

// A progressive picture is decoded once more with every scan, and a scan may have a few bytes; encoders write about ten.
constexpr int kMaxScans = 60;

/// libjpeg reports failures by a call that must not return. Ours is a longjmp, which must not pass over objects that
/// have destructors: each step below is a function without any.
class JpegReader {
 public:
  explicit JpegReader(ByteView file) : file_(file) {
    std::memset(&jpeg_, 0, sizeof jpeg_);
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr of) { fail(of); };
    errors_.emit_message = [](j_common_ptr of, int level) { warn(of, level); };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr of) { watch(of); };
    jpeg_.client_data = this;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header();
  bool read_pixels(JSAMPLE* to, std::size_t row_bytes);

  const char* message() const { return message_; }
  const jpeg_decompress_struct& get() const { return jpeg_; }

 private:
  static JpegReader& self(j_common_ptr of) { return *static_cast<JpegReader*>(of->client_data); }
  [[noreturn]] static void fail(j_common_ptr of) {
    JpegReader& reader = self(of);
    of->err->format_message(of, reader.message_);
    std::longjmp(reader.jump_, 1);
  }
  /// Where data are missing libjpeg invents grey. Other oddities, such as bytes between two segments, harm nobody.
  static void warn(j_common_ptr of, int level) {
    const int code = of->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) fail(of);
  }
  static void watch(j_common_ptr of) {
    JpegReader& reader = self(of);
    if (reader.jpeg_.input_scan_number <= kMaxScans) return;
    std::snprintf(reader.message_, sizeof reader.message_, "it has more than %d scans", kMaxScans);
    std::longjmp(reader.jump_, 1);
  }

  ByteView file_;
  jpeg_decompress_struct jpeg_;
  jpeg_error_mgr errors_;
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = {};
};

bool JpegReader::read_header() {
  if (setjmp(jump_) != 0) return false;
  jpeg_create_decompress(&jpeg_);
  jpeg_.progress = &progress_;
  jpeg_mem_src(&jpeg_, file_.data(), file_.size());
  jpeg_save_markers(&jpeg_, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&jpeg_, TRUE);
  return true;
}

bool JpegReader::read_pixels(JSAMPLE* to, std::size_t row_bytes) {
  if (setjmp(jump_) != 0) return false;
  jpeg_start_decompress(&jpeg_);
  while (jpeg_.output_scanline < jpeg_.output_height) {
    JSAMPROW row = to + jpeg_.output_scanline * row_bytes;
    jpeg_read_scanlines(&jpeg_, &row, 1);
  }
  jpeg_finish_decompress(&jpeg_);
  return true;
}

int orientation_of(const jpeg_decompress_struct& jpeg) {
  static constexpr char kExif[] = {'E', 'x', 'i', 'f', 0, 0};
  for (const jpeg_marker_struct* marker = jpeg.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->data_length < sizeof kExif || std::memcmp(marker->data, kExif, sizeof kExif) != 0) continue;
    return exif_orientation(ByteView(marker->data, marker->data_length).subspan(sizeof kExif));
  }
  return exif_orientation({});
}

/// Four inks as Adobe writes them, 255 for none, become red, green and blue, as in PIL.
std::vector<std::uint8_t> without_inks(const std::vector<std::uint8_t>& inks) {
  std::vector<std::uint8_t> rgb(inks.size() / 4 * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const std::uint32_t light = inks[i / 3 * 4 + 3], ink = 255U - inks[i / 3 * 4 + i % 3];
    const std::uint32_t product = ink * light + 128;
    rgb[i] = static_cast<std::uint8_t>(light - (((product >> 8) + product) >> 8));
  }
  return rgb;
}

}  // namespace

Picture decode_jpeg(ByteView file, const std::string& name, int& orientation) {
  JpegReader reader(file);
  const auto damaged = [&] { fail_input("{} is a damaged JPEG image: {}", name, reader.message()); };
  if (!reader.read_header()) damaged();
  const jpeg_decompress_struct& jpeg = reader.get();
  check_picture_size(jpeg.image_width, jpeg.image_height, name);
  // What libjpeg has chosen by the file: grey, RGB or CMYK, or as it is if the file names no colours.
  const auto channels = static_cast<std::size_t>(jpeg.num_components);
  const bool known = jpeg.out_color_space == JCS_GRAYSCALE || jpeg.out_color_space == JCS_RGB ||
                     jpeg.out_color_space == JCS_CMYK;
  if (!known || (channels != 1 && channels != 3 && channels != 4)) {
    fail_input("{} has {} colour components that are neither grey, RGB nor CMYK; convert it to PNG", name,
               channels);
  }
  orientation = orientation_of(jpeg);
  Picture out;
  out.is_jpeg = true;
  out.width = static_cast<int>(jpeg.image_width);
  out.height = static_cast<int>(jpeg.image_height);
  out.channels = channels == 1 ? 1 : 3;
  const std::size_t row = jpeg.image_width * channels;
  out.pixels.resize(row * jpeg.image_height);
  if (!reader.read_pixels(out.pixels.data(), row)) damaged();
  if (channels == 4) out.pixels = without_inks(out.pixels);
  return out;
}

}  // namespace ap::nn

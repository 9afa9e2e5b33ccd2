// Folders of PNG images.
#include <png.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "nn/data/dataset_formats.h"

namespace ap::nn {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20;
constexpr unsigned kMaxSide = 4096;

struct Image {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> interleaved;
};

/// libpng's simplified interface; its image must be freed on every path.
class PngImage {
 public:
  PngImage() {
    std::memset(&image_, 0, sizeof image_);
    image_.version = PNG_IMAGE_VERSION;
  }
  ~PngImage() { png_image_free(&image_); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
  png_image& get() { return image_; }

 private:
  png_image image_;
};

Image read_png(const std::filesystem::path& path, int channels) {
  const Bytes file = read_file(path, kMaxFileBytes);
  PngImage holder;
  png_image& png = holder.get();
  if (!png_image_begin_read_from_memory(&png, file.data(), file.size())) {
    fail_input("{} is not a PNG image, or it is damaged: {}", path.string(), png.message);
  }
  if (png.width < 1 || png.height < 1 || png.width > kMaxSide || png.height > kMaxSide) {
    fail_input("{} has {}x{} pixels; sides up to {} are supported", path.string(), png.width, png.height,
               kMaxSide);
  }
  if (channels == 0) channels = (png.format & PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1;
  png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image out{channels, static_cast<int>(png.height), static_cast<int>(png.width), {}};
  out.interleaved.resize(PNG_IMAGE_SIZE(png));
  const png_color black{0, 0, 0};  // behind transparent pixels
  if (!png_image_finish_read(&png, &black, out.interleaved.data(), 0, nullptr)) {
    fail_input("{} is a damaged PNG image: {}", path.string(), png.message);
  }
  return out;
}

std::vector<std::filesystem::path> png_files(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto i = std::filesystem::directory_iterator(folder, error);
       !error && i != std::filesystem::directory_iterator(); i.increment(error)) {
    std::string extension = i->path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (extension == ".png") files.push_back(i->path());
  }
  if (error) fail_input("cannot list the folder {}: {}", folder.string(), error.message());
  if (files.empty()) fail_input("{} holds no .png files", folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Dataset read_png_folder(const std::filesystem::path& folder, int channels, Range range) {
  const std::vector<std::filesystem::path> files = png_files(folder);
  const Selection wanted = select(range, files.size(), 1, folder.string());
  Dataset out;
  for (std::uint64_t i = 0; i < wanted.count; ++i) {
    const std::filesystem::path& path = files[wanted.begin + i];
    const Image image = read_png(path, channels);
    const Shape shape{image.channels, image.height, image.width};
    if (i == 0) {
      out.shape = shape;
      channels = image.channels;
      select(range, files.size(), static_cast<std::uint64_t>(shape.size()), folder.string());
    } else if (!(shape == out.shape)) {
      fail_input("{} has shape {}, but the images before it have {}; all images must have one size",
                 path.string(), to_string(shape), to_string(out.shape));
    }
    const auto planes = static_cast<std::size_t>(image.channels);
    for (std::size_t c = 0; c < planes; ++c) {
      for (std::size_t p = c; p < image.interleaved.size(); p += planes)
        out.bytes.push_back(image.interleaved[p]);
    }
  }
  return out;
}

}  // namespace ap::nn

// CIFAR records and the idx files of MNIST.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "nn/data/byte_source.h"
#include "nn/data/dataset_formats.h"

namespace ap::nn {
namespace {

constexpr std::size_t kCifarPixels = 3 * 32 * 32;

/// Reads exactly out.size() bytes.
void read_all(ByteSource& source, std::span<std::uint8_t> out, const std::string& file) {
  const std::size_t got = source.read(out);
  if (got != out.size()) fail_input("{} is cut off: {} bytes are missing", file, out.size() - got);
}

std::filesystem::path plain_or_gzip(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  for (const char* suffix : {"", ".gz"}) {
    const std::filesystem::path path = folder / (name + suffix);
    if (std::filesystem::exists(path, error)) return path;
  }
  fail_input("{} holds neither {} nor {}.gz", folder.string(), name, name);
}

/// Header of an idx file of unsigned bytes: two zeros, type 8, number of dimensions, then each as 32 bits big
/// endian.
template <std::size_t kDims>
std::array<std::uint32_t, kDims> read_idx_header(ByteSource& source, const std::string& file) {
  std::array<std::uint8_t, 4 + 4 * kDims> head{};
  read_all(source, head, file);
  if (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != kDims) {
    fail_input("{} is not an idx file of bytes with {} dimensions", file, kDims);
  }
  std::array<std::uint32_t, kDims> dims{};
  for (std::size_t d = 0; d < kDims; ++d) {
    for (std::size_t b = 0; b < 4; ++b) dims[d] = dims[d] << 8 | head[4 + 4 * d + b];
  }
  return dims;
}

}  // namespace

Dataset read_cifar(const std::filesystem::path& file, int label_bytes, int classes, Range range) {
  const std::string name = file.string();
  const std::size_t record = static_cast<std::size_t>(label_bytes) + kCifarPixels;
  // The file does not say how many records it has: read at most what may be selected.
  constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 32, kLimit = kMaxPixelBytes / kCifarPixels;
  Range bounded = range;
  if (range.begin >= 0 && range.begin < static_cast<std::int64_t>(kMaxRecords)) {
    bounded.end = std::min(range.end, range.begin + static_cast<std::int64_t>(kLimit));
  }
  const Selection wanted = select(bounded, kMaxRecords, kCifarPixels, name);
  const auto source = open_source(file);
  const std::uint64_t skipped = source->skip(wanted.begin * record);
  if (skipped != wanted.begin * record) {
    fail_input("{} has {} images, so the range from {} on selects none", name, skipped / record,
               wanted.begin);
  }
  Dataset out;
  out.shape = {3, 32, 32};
  std::vector<std::uint8_t> buffer(record);
  for (std::uint64_t i = 0; i < wanted.count; ++i) {
    const std::size_t got = source->read(buffer);
    if (got == 0) break;
    if (got != record) {
      fail_input("{} is cut off: image {} has {} of {} bytes", name, wanted.begin + i, got, record);
    }
    const int label = buffer[static_cast<std::size_t>(label_bytes) - 1];
    if (label >= classes) {
      fail_input("{}: image {} has label {}, but there are {} classes; is this the right kind of file?", name,
                 wanted.begin + i, label, classes);
    }
    out.labels.push_back(label);
    out.bytes.insert(out.bytes.end(), buffer.begin() + label_bytes, buffer.end());
  }
  if (out.labels.size() == kLimit && range.end > bounded.end && source->skip(1) == 1) {
    fail_input("{} has more than {} images; select fewer with --first or --range", name, kLimit);
  }
  if (out.labels.empty()) fail_input("{} has no images from position {} on", name, wanted.begin);
  return out;
}

Dataset read_idx(const std::filesystem::path& folder, const std::string& prefix, Range range) {
  const auto image_file = plain_or_gzip(folder, prefix + "-images-idx3-ubyte");
  const auto label_file = plain_or_gzip(folder, prefix + "-labels-idx1-ubyte");
  const std::string image_name = image_file.string(), label_name = label_file.string();
  const auto images = open_source(image_file), labels = open_source(label_file);
  const auto [count, height, width] = read_idx_header<3>(*images, image_name);
  const auto [label_count] = read_idx_header<1>(*labels, label_name);
  if (height < 1 || width < 1 || height > 4096 || width > 4096) {
    fail_input("{} holds images of {}x{}; sides of 1 to 4096 are supported", image_name, height, width);
  }
  if (count != label_count) {
    fail_input("{} has {} images, but {} has {} labels", image_name, count, label_name, label_count);
  }
  const std::uint64_t pixels = std::uint64_t{height} * width;
  const Selection wanted = select(range, count, pixels, image_name);
  images->skip(wanted.begin * pixels);
  labels->skip(wanted.begin);
  Dataset out;
  out.shape = {1, static_cast<int>(height), static_cast<int>(width)};
  // Grows as data arrive: the header alone must not make us allocate.
  std::vector<std::uint8_t> image(pixels), label(1);
  for (std::uint64_t i = 0; i < wanted.count; ++i) {
    read_all(*images, image, image_name);
    read_all(*labels, label, label_name);
    out.bytes.insert(out.bytes.end(), image.begin(), image.end());
    out.labels.push_back(label[0]);
  }
  return out;
}

}  // namespace ap::nn

#include "images.h"

#include <zlib.h>

#include <memory>
#include <vector>

#include "base/error.h"

namespace ap::train {
namespace {

constexpr int kSide = 28;
constexpr std::uint32_t kMaxImages = 1 << 20;

class GzipFile {
 public:
  explicit GzipFile(const std::filesystem::path& path)
      : path_(path.string()), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) fail_input("cannot open {}; install the package dataset-fashion-mnist or give --data", path_);
  }
  void read(void* out, std::size_t bytes) {
    if (gzread(file_.get(), out, static_cast<unsigned>(bytes)) != static_cast<int>(bytes)) {
      fail_input("{} is truncated or damaged: {} more bytes expected", path_, bytes);
    }
  }
  std::uint32_t big_endian_u32() {
    std::uint8_t b[4];
    read(b, sizeof b);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
  }
  /// Reads the idx header: a magic number and one length per dimension.
  std::vector<std::uint32_t> header(std::uint32_t magic, int dimensions) {
    if (const auto found = big_endian_u32(); found != magic) {
      fail_input("{} is not the expected idx file: magic number {:#x} instead of {:#x}", path_, found, magic);
    }
    std::vector<std::uint32_t> lengths;
    for (int i = 0; i < dimensions; ++i) lengths.push_back(big_endian_u32());
    if (lengths[0] > kMaxImages)
      fail_input("{} announces {} records, more than {}", path_, lengths[0], kMaxImages);
    return lengths;
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

}  // namespace

LabelledImages read_images(const std::filesystem::path& directory, const std::string& prefix) {
  GzipFile image_file(directory / (prefix + "-images-idx3-ubyte.gz"));
  GzipFile label_file(directory / (prefix + "-labels-idx1-ubyte.gz"));
  const auto shape = image_file.header(0x803, 3);
  const auto labels = label_file.header(0x801, 1);
  if (shape[0] != labels[0]) {
    fail_input("{}: {} images but {} labels in the {} set", directory.string(), shape[0], labels[0], prefix);
  }
  if (shape[1] != kSide || shape[2] != kSide) {
    fail_input("{}: images of {}x{} pixels, {}x{} expected", directory.string(), shape[1], shape[2], kSide,
               kSide);
  }
  LabelledImages result;
  result.pixels = torch::empty({shape[0], kSide, kSide}, torch::kUInt8);
  image_file.read(result.pixels.data_ptr(), static_cast<std::size_t>(result.pixels.numel()));
  torch::Tensor raw_labels = torch::empty({labels[0]}, torch::kUInt8);
  label_file.read(raw_labels.data_ptr(), labels[0]);
  result.labels = raw_labels.to(torch::kInt64);
  return result;
}

torch::Tensor make_batch(const LabelledImages& images, const torch::Tensor& indices) {
  const torch::Tensor pixels = images.pixels.index_select(0, indices).to(torch::kFloat32);
  return ((pixels / 255.0 - kPixelMean) / kPixelStd).unsqueeze(1);
}

torch::Tensor make_augmented_batch(const LabelledImages& images, const torch::Tensor& indices, int max_shift,
                                   std::mt19937_64& random) {
  const std::int64_t count = indices.size(0);
  LabelledImages changed;
  changed.pixels = torch::zeros({count, kSide, kSide}, torch::kUInt8);
  const auto* source = images.pixels.data_ptr<std::uint8_t>();
  auto* target = changed.pixels.data_ptr<std::uint8_t>();
  const auto* index = indices.data_ptr<std::int64_t>();
  // std:: distributions differ between standard libraries; plain remainders keep a seed's result the same.
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  for (std::int64_t i = 0; i < count; ++i) {
    const bool mirror = below(2) == 1;
    const int dx = below(2 * max_shift + 1) - max_shift;
    const int dy = below(2 * max_shift + 1) - max_shift;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const int from_y = y + dy;
        const int from_x = (mirror ? kSide - 1 - x : x) + dx;
        if (from_y < 0 || from_y >= kSide || from_x < 0 || from_x >= kSide) continue;
        target[(i * kSide + y) * kSide + x] = source[(index[i] * kSide + from_y) * kSide + from_x];
      }
    }
  }
  return make_batch(changed, torch::arange(count));
}

}  // namespace ap::train

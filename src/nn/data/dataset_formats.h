// The readers behind load_dataset, one per scheme. Each reads the images of `range` and fills everything but
// `source`; `first` is range.begin.
#pragma once

#include <filesystem>

#include "nn/data/dataset.h"

namespace ap::nn {

/// No selection may hold more bytes of pixels than this.
inline constexpr std::uint64_t kMaxPixelBytes = std::uint64_t{1} << 30;

/// CIFAR records: `label_bytes` (the last one is the label, below `classes`), then 3 planes of 32 x 32 bytes.
Dataset read_cifar(const std::filesystem::path& file, int label_bytes, int classes, Range range);
/// idx files "PREFIX-images-idx3-ubyte" and "PREFIX-labels-idx1-ubyte" in `folder`, with or without ".gz".
Dataset read_idx(const std::filesystem::path& folder, const std::string& prefix, Range range);
/// A folder, or a single file. `channels` is 1 (grey), 3 (RGB) or 0: as the first picture has it.
Dataset read_pictures(const std::filesystem::path& folder, int channels, Range range,
                      const LoadOptions& options = {});
/// NumPy arrays; `labels` may be empty. Images are brought into the shape `expected`, if it is given, as load_dataset says.
Dataset read_npy(const std::filesystem::path& images, const std::filesystem::path& labels, Range range,
                 const std::optional<Shape>& expected = {}, const InputForm& form = {});

/// The images of `range` among `total`. @throws Error(input) if there are none or they have too many bytes.
struct Selection {
  std::uint64_t begin = 0, count = 0;
};
Selection select(Range range, std::uint64_t total, std::uint64_t image_bytes, const std::string& source);

}  // namespace ap::nn

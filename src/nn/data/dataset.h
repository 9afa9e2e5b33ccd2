// The data arguments of every command: images with labels (if the source has any), ready for a network.
//
//   cifar10:FILE  cifar100:FILE   binary records, plain, .xz or .gz
//   mnist:DIR     mnist-train:DIR idx files (t10k-* or train-*), plain or .gz; Fashion-MNIST too
//   images:DIR                    PNG and JPEG files in the order of their names, or a folder of them for each class
//   npy:X.npy[,Y.npy]             arrays of numbers, the first dimension counting images; integer labels
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "nn/data/framing.h"
#include "nn/data/normalization.h"
#include "nn/ir/graph.h"

namespace ap::nn {

/// The images [begin, end) of a source. The default is all of them; an end beyond the source stops at its
/// end.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
};

/// Images of one shape in channel-major order. Exactly one of `bytes` and `floats` holds the pixels.
struct Dataset {
  std::string source;      ///< the data argument
  Shape shape;             ///< of one image
  std::int64_t first = 0;  ///< position in the source of the first image here
  std::vector<std::uint8_t> bytes;
  std::vector<float> floats;
  std::vector<int> labels;           ///< one per image, or empty
  std::vector<std::string> names;    ///< of the file of each image, below the folder; or empty
  std::vector<std::string> classes;  ///< names of the folders that `labels` count, or empty
  std::vector<std::string> notes;    ///< sentences on what was left out or taken for something

  std::size_t size() const;
  Pixel pixel_kind() const { return floats.empty() ? Pixel::byte : Pixel::number; }
  bool has_labels() const { return !labels.empty(); }
  /// The network input of image i.
  Tensor input(std::size_t i, const Normalization& normalization) const;
  /// The inputs of images [begin, end), one after the other.
  std::vector<float> inputs(std::size_t begin, std::size_t end, const Normalization& normalization) const;
};

/// What images are read for.
struct LoadOptions {
  InputForm form;         ///< of the network's input
  Framing framing;        ///< of pictures (images:DIR); other sources hold images of the network's size
  ProgressSink progress;  ///< of pictures
};

/// Reads a data argument. When `expected` (the network's input shape) is given, images come out in that shape: arrays may
/// have the network's own dimensions (options.form), those of `expected`, ones more or fewer, the other order of channels
/// (said in `notes`), or be flat where there are no channels whose order could be meant. Others are refused.
/// @throws Error(input): unknown scheme (the known ones are listed), missing, damaged or truncated file,
/// wrong shape, a range without images, more than 1 GiB of pixels.
Dataset load_dataset(const std::string& argument, Range range = {}, std::optional<Shape> expected = {},
                     const LoadOptions& options = {});

}  // namespace ap::nn

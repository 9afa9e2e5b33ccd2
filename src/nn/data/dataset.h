// The data arguments of every command: images with labels (if the source has any), ready for a network.
//
//   cifar10:FILE  cifar100:FILE   binary records, plain, .xz or .gz
//   mnist:DIR     mnist-train:DIR idx files (t10k-* or train-*), plain or .gz; Fashion-MNIST too
//   images:DIR                    PNG files of one size, in the order of their names; no labels
//   npy:X.npy[,Y.npy]             uint8 or float32 images, NCHW or NHW; integer labels
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  std::vector<int> labels;  ///< one per image, or empty

  std::size_t size() const;
  bool has_labels() const { return !labels.empty(); }
  /// The network input of image i.
  Tensor input(std::size_t i, const Normalization& normalization) const;
  /// The inputs of images [begin, end), one after the other.
  std::vector<float> inputs(std::size_t begin, std::size_t end, const Normalization& normalization) const;
};

/// Reads a data argument. When `expected` (the network's input shape) is given, images of another shape are
/// refused; a network that takes flat vectors accepts images of as many pixels.
/// @throws Error(input): unknown scheme (the known ones are listed), missing, damaged or truncated file,
/// wrong shape, a range without images, more than 1 GiB of pixels.
Dataset load_dataset(const std::string& argument, Range range = {}, std::optional<Shape> expected = {});

}  // namespace ap::nn

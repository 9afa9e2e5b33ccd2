// The labelled images that a network is trained on or judged by.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/data/dataset.h"

namespace ap::train {

/// Some images of a data set. Copies share the pixels.
struct Samples {
  std::shared_ptr<const nn::Dataset> data;
  nn::Normalization normalization;
  std::vector<std::uint32_t> which;  ///< positions in `data`

  std::size_t size() const { return which.size(); }
  const nn::Shape& shape() const { return data->shape; }
  int label(std::size_t i) const { return data->labels[which[i]]; }
  std::vector<int> labels() const;
};

/// Random changes of a training image. Pixels of value 0 move in from outside.
struct Augmentation {
  bool mirror = false;  ///< left and right change places for half of the images
  int shift = 0;        ///< up to so many pixels in each direction
};

/// The images of a range of one or more sources, joined; `expected` is the network's input shape, if known.
/// @throws Error(input) if a source cannot be read, has no labels, or shapes differ.
Samples load_samples(std::span<const std::string> sources, nn::Range range,
                     const nn::Normalization& normalization, std::optional<nn::Shape> expected);
/// All samples of a data set in memory.
Samples all_of(nn::Dataset data, const nn::Normalization& normalization);

/// {the others, every k-th} with k = 1 / held_out rounded; `held_out` between 0 (none) and 0.5.
/// @throws Error(input) if a part would be empty though held_out is positive.
std::pair<Samples, Samples> split(const Samples& samples, double held_out);
/// `count` of them at regular distances, or all if there are fewer.
Samples subset(const Samples& samples, std::size_t count);
/// Those of the classes 0 to classes - 1.
Samples of_classes(const Samples& samples, int classes);

/// The normalised input of samples[i] in the plain.
nn::Tensor image(const Samples& samples, std::size_t i);
/// The inputs of samples[positions[0]], samples[positions[1]], ... with random changes that depend on (seed,
/// position) alone. `out` holds positions.size() images.
void assemble(const Samples& samples, std::span<const std::uint32_t> positions,
              const Augmentation& augmentation, std::uint64_t seed, std::span<float> out);

}  // namespace ap::train

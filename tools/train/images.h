// Fashion-MNIST and MNIST images from their gzipped idx files, and the augmentation used in training.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

namespace ap::train {

/// Mean and standard deviation of the training images with pixels divided by 255: what the network expects is
/// (pixel / 255 - kPixelMean) / kPixelStd.
inline constexpr double kPixelMean = 0.2860;
inline constexpr double kPixelStd = 0.3530;

struct LabelledImages {
  torch::Tensor pixels;  ///< uint8 [count, 28, 28]
  torch::Tensor labels;  ///< int64 [count]
  std::int64_t count() const { return labels.size(0); }
};

/// Reads `prefix`-images-idx3-ubyte.gz and `prefix`-labels-idx1-ubyte.gz ("train" or "t10k") of a directory.
/// @throws Error(input) when a file is missing, is not idx, or images and labels differ in number.
LabelledImages read_images(const std::filesystem::path& directory, const std::string& prefix);

/// The images at `indices` as a normalised float batch [n, 1, 28, 28].
torch::Tensor make_batch(const LabelledImages& images, const torch::Tensor& indices);

/// The same with a random mirror image and a random shift of up to `max_shift` pixels (zeros move in).
torch::Tensor make_augmented_batch(const LabelledImages& images, const torch::Tensor& indices, int max_shift,
                                   std::mt19937_64& random);

}  // namespace ap::train

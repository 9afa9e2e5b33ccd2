// Images as numbers. There is one layout everywhere in this library: channel by channel, in each channel row
// by row from the top, in each row from the left (CHW, as ONNX tensors are). The pixel of channel c, row y
// and column x of an image of height H and width W is number (c * H + y) * W + x. Of grey images there is one
// channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "autoprivacy/error.h"

namespace autoprivacy {

/// The size of one image, or of any tensor. A vector of V values has V channels, height 1 and width 1.
struct Shape {
  int channels = 0;
  int height = 1;
  int width = 1;
  /// The number of values: channels * height * width.
  std::size_t size() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// Any number of images of one shape, with the number of the right class of each if it is known. Exactly one
/// of `pixels` and `floats` holds the images, one after another, each in the layout above, before
/// normalisation.
struct Images {
  Shape shape;                       ///< of one image
  std::vector<std::uint8_t> pixels;  ///< 0 to 255; size() * shape.size() of them
  std::vector<float> floats;         ///< or this, of sources that hold other numbers than 8-bit pixels
  std::vector<int> labels;           ///< one for each image, counted from 0; or empty

  /// The number of images; 0 if there are none or the shape is empty.
  std::size_t size() const;
  /// The pixels of image `i`, shape.size() of them, valid as long as this object is not changed.
  /// @throws Error(input) if there is no image `i`, or the images are floats.
  std::span<const std::uint8_t> image(std::size_t i) const;
};

/// Reads images from files. `source` is one of
///   mnist:DIR, mnist-train:DIR    idx files (t10k-* or train-*), plain or .gz; Fashion-MNIST too
///   cifar10:FILE, cifar100:FILE   binary records, plain, .xz or .gz
///   images:DIR                    PNG and JPEG files in the order of their names, or a folder of them for each class,
///                                 which then is their label, counted in the order of the folders' names
///   npy:X.npy[,Y.npy]             numbers of any type, N x C x H x W or N x H x W; integer labels
/// What becomes of alpha, 16 bits, orientation and the like is said in docs/data.md.
/// `framing` says how pictures (images:DIR) are scaled and cut to one size: "resize=256 crop=224", either part, or nothing;
/// resize=S scales the shorter side to S, resize=HxW both, crop=S or HxW then takes the middle, as torchvision does with
/// pictures of PIL. Client::framing() is what the network was compiled with.
/// `first` is the number, from 0, of the first image that is wanted and `count` how many; fewer come if the
/// source ends.
/// @throws Error(input) for another source, a file that is missing, damaged or cut off, no image in that
/// range, or more than 1 GiB of pixels.
Images load_images(const std::string& source, std::size_t first = 0,
                   std::size_t count = std::numeric_limits<std::size_t>::max(),
                   const std::string& framing = {});

/// Changes the layout of one image whose pixels hold all channels together (HWC, as image decoders give
/// them): the result has the layout of this library. `shape` is the image's.
/// @throws Error(input) unless there are shape.size() pixels.
std::vector<std::uint8_t> channels_first(std::span<const std::uint8_t> pixels, const Shape& shape);

}  // namespace autoprivacy

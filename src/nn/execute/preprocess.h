// From pixels to the integers that a network takes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "nn/data/dataset.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {

/// Image `i` of `images`, normalised and quantised (quantise_input): the network's input. Images may be
/// secrets: nothing of them is left in memory that was used on the way.
/// @throws Error(input) if the image's size is not the network's, or the normalisation does not fit its
/// channels.
SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, const Dataset& images, std::size_t i,
                                      const Normalization& normalization);

/// The same of a normalised image in the layout of the network's input: channels x height x width.
/// @throws Error(input) if the size is wrong or a value is not a number.
SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, std::span<const float> normalised);

/// The same of one image of 8-bit pixels in that layout, of which there are shape.size().
/// @throws Error(input) if there are more or fewer, or the network takes another number.
SecretVector<std::int32_t> preprocess(const QuantisedNetwork& network, std::span<const std::uint8_t> pixels,
                                      const Shape& shape, const Normalization& normalization);

/// How many values of image `i` lie outside the range that the network's input was calibrated for, and are cut to its
/// ends by preprocess(). @throws as that.
std::size_t saturated(const QuantisedNetwork& network, const Dataset& images, std::size_t i,
                      const Normalization& normalization);

/// All images, one after another. They are data, not secrets. @throws as for one image.
std::vector<std::int32_t> preprocess_all(const QuantisedNetwork& network, const Dataset& images,
                                         const Normalization& normalization);

}  // namespace ap::nn

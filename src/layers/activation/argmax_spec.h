// The number of the largest value as one more layer of the activation protocols (layers/activation/activation_spec.h,
// ActivationSpec::argmax). The server ends with (number - r) mod 2^t, which r, the client's secret, makes
// uniform: it learns nothing and hands it to the client, who adds r and learns the number and nothing else.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "layers/activation/activation_spec.h"

namespace ap::activation {

/// Values that are compared: 2 to this many.
inline constexpr std::size_t kMaxArgmaxInputs = 1024;

/// t: bits of a number below `count` >= 2.
constexpr int argmax_index_bits(std::size_t count) { return std::bit_width(count - 1); }

/// The layer for `count` values, shared modulo 2^bits (2 to 40) or, if `prime` is not 0, modulo that number
/// of `bits` bits, and taken as signed numbers: floor((prime - 1) / 2) and below are not negative.
ActivationSpec argmax_spec(std::size_t count, int bits, std::uint64_t prime = 0);

}  // namespace ap::activation

// The noise of a whole linear layer, reply by reply.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/linear/coefficient/layout.h"

namespace ap::noise {

/// Sum of squares of the weight coefficients behind each reply (ReplyNoise::weight_norm2).
std::vector<double> reply_norms2(const linear::Layout& layout, std::span<const std::int16_t> weights);

/// error_std of every output element (flat [c_out][h_out][w_out]) for errors of the standard deviation of this system:
/// outputs of one reply share it, replies with larger weights have more. `noise_step` is of the server's own
/// noise, c0_dropped_bits and c1_dropped_bits are the bits that replies drop.
std::vector<float> output_error_stds(const linear::Layout& layout, std::span<const std::int16_t> weights,
                                     int c0_dropped_bits, int c1_dropped_bits, std::uint64_t noise_step,
                                     double log2_q, int log2_p);

}  // namespace ap::noise

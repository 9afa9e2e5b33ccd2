// HeLinear as a PackedLayer: how it is described, and how far its outputs err.
#include <fmt/format.h>

#include <limits>

#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/layer_noise.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"
#include "random/wide_noise.h"

namespace ap::linear {

LayerRing HeLinear::ring() const {
  const bfv::Parameters& p = bfv::parameters(*context_);
  return {p.n, p.primes, p.log2_q(), p.log2_q()};
}

std::string HeLinear::describe() const {
  const Packing& p = layout_.packing();
  std::string text =
      fmt::format("coefficient {}x{} in{} out{}", p.window_h, p.window_w, p.channels_in, p.channels_out);
  if (p.groups > 1) text += fmt::format(" groups{}", p.groups);
  if (p.phases) text += " phases";
  return text;
}

std::optional<std::vector<float>> HeLinear::error_stds(std::span<const std::int16_t> weights) const {
  return noise::output_error_stds(layout_, weights, c0_dropped_bits_, c1_dropped_bits_, noise_step_,
                                  bfv::parameters(*context_).log2_q(), log2_p_);
}

std::optional<double> HeLinear::largest_error_std(std::span<const std::int16_t> weights) const {
  const noise::ReplyNoise reply{layout_.n(),      weights.empty() ? 0 : max_reply_norm2(layout_, weights),
                                kErrorSigma,      c0_dropped_bits_,
                                c1_dropped_bits_, noise_step_};
  return noise::error_std(noise::variance(reply), bfv::parameters(*context_).log2_q(), log2_p_);
}

double HeLinear::reply_failure_log2() const { return -std::numeric_limits<double>::infinity(); }

double HeLinear::weight_snr(std::span<const std::int16_t> weights, std::uint64_t inferences) const {
  const double largest = largest_magnitude(weights);
  if (noise_step_ == 0) return largest > 0 ? std::numeric_limits<double>::infinity() : 0;
  const double sigma = wide_noise_sigma(noise_step_);
  const noise::WeightExposure exposure{inferences, layout_.reads_of_a_weight(), largest,
                                       max_reply_norm2(layout_, weights)};
  if (!noise::wide_enough(exposure, noise_step_)) return std::numeric_limits<double>::infinity();
  return noise::weight_snr(exposure, noise_step_,
                           noise::error_std(sigma * sigma, bfv::parameters(*context_).log2_q(), log2_p_));
}

}  // namespace ap::linear

#include "layers/linear/coefficient/layer_noise.h"

#include "base/parallel.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"

namespace ap::noise {

std::vector<double> reply_norms2(const linear::Layout& layout, std::span<const std::int16_t> weights) {
  std::vector<double> polynomial(layout.weight_polynomials());
  parallel_for(polynomial.size(), [&](std::size_t i) {
    std::vector<std::int32_t> coefficients(layout.n());
    layout.encode_weights(i, weights, coefficients);
    for (const std::int32_t c : coefficients) polynomial[i] += static_cast<double>(c) * c;
  });
  std::vector<double> reply(layout.replies());
  for (std::size_t r = 0; r < reply.size(); ++r) {
    for (std::size_t t = 0; t < layout.terms(); ++t) reply[r] += polynomial[layout.first_weight(r) + t];
  }
  return reply;
}

std::vector<float> output_error_stds(const linear::Layout& layout, std::span<const std::int16_t> weights,
                                     int c0_dropped_bits, int c1_dropped_bits, std::uint64_t noise_step,
                                     double log2_q, int log2_p) {
  const std::vector<double> norms2 = reply_norms2(layout, weights);
  std::vector<float> error_stds(static_cast<std::size_t>(layout.geometry().out().size()));
  for (std::size_t r = 0; r < norms2.size(); ++r) {
    const ReplyNoise reply{layout.n(), norms2[r], kErrorSigma, c0_dropped_bits, c1_dropped_bits, noise_step};
    const auto each = static_cast<float>(error_std(variance(reply), log2_q, log2_p));
    for (const linear::OutputPosition& read : layout.reads(r)) error_stds[read.output] = each;
  }
  return error_stds;
}

}  // namespace ap::noise

// One linear layer run through the real kernels of both parties, to look at its errors.
#pragma once

#include <cmath>

#include "he/rlwe/keys.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/layer_noise.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "layers/linear/noise_model.h"
#include "layers/linear/plaintext/clear_conv.h"
#include "random/prng.h"

namespace ap::noise::test {

class RealLayer {
 public:
  RealLayer(const linear::Layout& layout, const std::vector<std::int16_t>& weights,
            const bfv::Parameters& parameters, int c0_dropped_bits, int c1_dropped_bits,
            std::uint64_t noise_step = 0)
      : layout_(layout),
        weights_(weights),
        context_(bfv::make_context(parameters)),
        log2_q_(parameters.log2_q()),
        c0_dropped_bits_(c0_dropped_bits),
        c1_dropped_bits_(c1_dropped_bits),
        noise_step_(noise_step),
        clear_(layout.geometry(), weights) {}

  /// Share sums minus exact accumulators, modulo 2^log2_p as signed numbers, with keys, masks and errors of `seed`.
  std::vector<std::int64_t> deviations(std::uint64_t seed, int log2_p) const {
    const auto layer = std::make_shared<const linear::HeLinear>(layout_, context_, log2_p, c0_dropped_bits_,
                                                                c1_dropped_bits_, noise_step_);
    const linear::PreparedLinear prepared(layer, weights_);
    Prng prng(Seed{17}, seed);
    const rlwe::SecretKey key(context_, prng);
    const rlwe::PublicKey public_key(key, prng);
    const linear::Geometry& geometry = layout_.geometry();
    std::vector<std::uint64_t> r(static_cast<std::size_t>(geometry.in.size()));
    sample_bits(prng, log2_p, r);
    std::vector<std::uint64_t> expected(static_cast<std::size_t>(geometry.out().size()));
    clear_.apply(std::span<const std::uint64_t>(r), std::span<std::uint64_t>(expected));
    std::vector<std::uint64_t> server(expected.size()), client(expected.size());
    const Seed up{static_cast<std::uint8_t>(seed), static_cast<std::uint8_t>(seed >> 8), 1};
    const Seed down{static_cast<std::uint8_t>(seed), static_cast<std::uint8_t>(seed >> 8), 2};
    const Bytes replies = prepared.apply(layer->encrypt(key, r, up), public_key, down, server);
    layer->decrypt(key, replies, client);
    std::vector<std::int64_t> out(expected.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t difference = server[i] + client[i] - expected[i];
      out[i] = static_cast<std::int64_t>(difference << (64 - log2_p)) >> (64 - log2_p);
    }
    return out;
  }

  /// The errors e of all outputs, each divided by its predicted standard deviation (that of its reply). Run at a
  /// plaintext modulus so close to q that the rounding of shares, a twelfth for each, hardly matters.
  std::vector<double> errors(std::uint64_t seed) const {
    const int log2_p = static_cast<int>(std::floor(log2_q_)) - 3;
    const std::vector<std::int64_t> deviation = deviations(seed, log2_p);
    const std::vector<float> error_stds = output_error_stds(layout_, weights_, c0_dropped_bits_,
                                                            c1_dropped_bits_, noise_step_, log2_q_, log2_p);
    // Replies one after another.
    std::vector<double> errors;
    for (std::size_t reply = 0; reply < layout_.replies(); ++reply) {
      for (const linear::OutputPosition& read : layout_.reads(reply)) {
        errors.push_back(static_cast<double>(deviation[read.output]) /
                         deviation_std(error_stds[read.output]));
      }
    }
    return errors;
  }

 private:
  linear::Layout layout_;
  std::vector<std::int16_t> weights_;
  bfv::ContextPtr context_;
  double log2_q_;
  int c0_dropped_bits_, c1_dropped_bits_;
  std::uint64_t noise_step_;
  linear::ClearConv clear_;
};

}  // namespace ap::noise::test

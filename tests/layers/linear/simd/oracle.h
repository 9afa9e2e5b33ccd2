// One layer packed for SIMD from plain values to plain values, and what it must give.
#pragma once

#include <cstdint>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "layers/linear/simd/fc.h"
#include "layers/linear/simd/share.h"

namespace ap::linear::oracle {

struct SimdParty {
  explicit SimdParty(std::uint32_t n, int plain_bits = 20, std::vector<int> data_bits = {36, 36})
      : context(make(n, plain_bits, data_bits)), key(context, prng), public_key(key, prng) {}
  static bfv::BatchContextPtr make(std::uint32_t n, int plain_bits, const std::vector<int>& data_bits) {
    bfv::BatchParameters parameters{
        {n, {}, bfv::batch_primes(37, n, 1), 0}, bfv::batch_primes(plain_bits, n, 1), false};
    for (const int bits : data_bits) {
      const std::vector<std::uint64_t> taken = parameters.data_primes;
      parameters.data_primes.push_back(bfv::batch_primes(bits, n, 1, taken).at(0));
    }
    return bfv::make_batch_context(parameters);
  }
  std::uint64_t p() const { return context->p().value(); }

  std::vector<std::uint64_t> values(std::size_t count) {
    std::vector<std::uint64_t> result(count);
    sample_uniform(prng, p(), result);
    return result;
  }
  std::vector<std::int16_t> weights(std::size_t count) {
    std::vector<std::int16_t> result(count);
    for (std::int16_t& weight : result) weight = static_cast<std::int16_t>(prng.next64() % 255) - 127;
    return result;
  }

  template <typename Layer>
  std::vector<rlwe::Ciphertext> encrypt(const Layer& layer, const std::vector<std::uint64_t>& input) {
    std::vector<rlwe::Ciphertext> result;
    std::vector<std::uint64_t> slots(context->n());
    for (std::size_t i = 0; i < layer.uploads(); ++i) {
      layer.encode_input(i, input, slots);
      result.push_back(rlwe::load_seeded(context, bfv::batch_encrypt(*context, key, slots, prng)));
    }
    return result;
  }
  template <typename Layer>
  std::vector<rlwe::Plaintext> prepare(const Layer& layer, const std::vector<std::int16_t>& weights) const {
    std::vector<rlwe::Plaintext> result;
    std::vector<std::uint64_t> slots(context->n());
    for (std::size_t i = 0; i < layer.weight_plaintexts(); ++i) {
      layer.encode_weights(i, weights, p(), slots);
      result.push_back(bfv::batch_plaintext(*context, slots, context->data()));
    }
    return result;
  }
  std::vector<std::uint64_t> decrypt(const rlwe::Ciphertext& x) const {
    std::vector<std::uint64_t> slots(context->n());
    bfv::batch_decrypt(*context, key, x, slots);
    return slots;
  }

  Prng prng{Seed{61}};
  bfv::BatchContextPtr context;
  rlwe::SecretKey key;
  rlwe::PublicKey public_key;
};

/// sum += x w modulo p, for a signed w.
inline void accumulate(std::uint64_t& sum, std::uint64_t x, std::int64_t w, std::uint64_t p) {
  const std::uint64_t factor = w < 0 ? p - static_cast<std::uint64_t>(-w) : static_cast<std::uint64_t>(w);
  sum = static_cast<std::uint64_t>((static_cast<ring::Uint128>(x) * factor + sum) % p);
}

/// The convolution from its definition.
inline std::vector<std::uint64_t> convolve(const Geometry& g, const std::vector<std::uint64_t>& x,
                                           const std::vector<std::int16_t>& w, std::uint64_t p) {
  const nn::Shape out = g.out();
  std::vector<std::uint64_t> result(static_cast<std::size_t>(out.size()));
  const int in_per = g.in.c / g.groups, out_per = g.c_out / g.groups;
  for (int o = 0; o < g.c_out; ++o) {
    for (int y = 0; y < out.h; ++y) {
      for (int z = 0; z < out.w; ++z) {
        std::uint64_t& sum = result[static_cast<std::size_t>((o * out.h + y) * out.w + z)];
        for (int c = 0; c < in_per; ++c) {
          for (int l = 0; l < g.window.kernel_h; ++l) {
            for (int k = 0; k < g.window.kernel_w; ++k) {
              const int row = y * g.window.stride_h + l - g.window.pad.top;
              const int column = z * g.window.stride_w + k - g.window.pad.left;
              if (row < 0 || row >= g.in.h || column < 0 || column >= g.in.w) continue;
              const int channel = o / out_per * in_per + c;
              accumulate(sum, x[static_cast<std::size_t>((channel * g.in.h + row) * g.in.w + column)],
                         w[static_cast<std::size_t>(
                             ((o * in_per + c) * g.window.kernel_h + l) * g.window.kernel_w + k)],
                         p);
            }
          }
        }
      }
    }
  }
  return result;
}

}  // namespace ap::linear::oracle

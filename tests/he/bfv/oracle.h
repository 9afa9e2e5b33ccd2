// What the tests of this module compare with: arithmetic straight from the definitions.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/wire.h"

namespace ap::bfv::oracle {

inline Seed seed(std::uint8_t tag) {
  Seed s{};
  s[7] = tag;
  return s;
}

inline ContextPtr context(std::uint32_t n, const std::vector<int>& bits) {
  Parameters parameters{n, {}};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    parameters.primes.push_back(ntt_primes(bits[i], n, bits.size()).at(i));
  }
  return make_context(parameters);
}

inline std::vector<std::uint64_t> random_message(std::uint32_t n, int log2_p, Prng& prng) {
  std::vector<std::uint64_t> message(n);
  sample_bits(prng, log2_p, message);
  return message;
}

/// Uniform in [-bound, bound].
inline std::vector<std::int32_t> random_weights(std::uint32_t n, int bound, Prng& prng) {
  std::vector<std::uint64_t> draws(n);
  sample_uniform(prng, 2 * static_cast<std::uint64_t>(bound) + 1, draws);
  std::vector<std::int32_t> weights(n);
  for (std::size_t i = 0; i < n; ++i) weights[i] = static_cast<std::int32_t>(draws[i]) - bound;
  return weights;
}

/// sum += x w in Z[X]/(X^n + 1), modulo 2^64.
inline void add_product(const std::vector<std::uint64_t>& x, const std::vector<std::int32_t>& w,
                        std::vector<std::uint64_t>& sum) {
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (w[i] == 0) continue;
    const auto factor = static_cast<std::uint64_t>(static_cast<std::int64_t>(w[i]));
    for (std::size_t j = 0; j < n - i; ++j) sum[i + j] += x[j] * factor;
    for (std::size_t j = n - i; j < n; ++j) sum[i + j - n] -= x[j] * factor;
  }
}

inline double norm2(const std::vector<std::int32_t>& w) {
  double sum = 0;
  for (const double x : w) sum += x * x;
  return sum;
}

/// x modulo 2^log2_p in [-p/2, p/2).
inline std::int64_t centred(std::uint64_t x, int log2_p) {
  return static_cast<std::int64_t>(x << (64 - log2_p)) >> (64 - log2_p);
}

/// FNV-1a, 64 bits.
inline std::uint64_t hash(ByteView bytes) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const std::uint8_t byte : bytes) h = (h ^ byte) * 0x100000001b3ULL;
  return h;
}

inline std::vector<std::uint32_t> all_positions(std::uint32_t n) {
  std::vector<std::uint32_t> positions(n);
  for (std::uint32_t i = 0; i < n; ++i) positions[i] = i;
  return positions;
}

/// One run of the whole exchange: `terms` random products, re-shared and decrypted.
struct Exchange {
  std::vector<std::int64_t> deviation;  ///< client share + server share - true value, centred mod p
  double norm2 = 0;                     ///< of all weights together
  std::size_t bytes = 0;
};

inline Exchange exchange(const ContextPtr& ctx, int log2_p, int bound, int terms, const ReplyFormat& format,
                         Prng& prng, ErrorSource errors = ErrorSource::centred_binomial,
                         std::uint64_t noise_step = 0) {
  const std::uint32_t n = parameters(*ctx).n;
  const rlwe::SecretKey key(ctx, prng);
  const rlwe::PublicKey public_key(ctx, rlwe::PublicKey(key, prng, errors).serialise());
  Exchange result;
  rlwe::Ciphertext sum(ctx, ctx->data());
  std::vector<std::uint64_t> truth(n);
  for (int t = 0; t < terms; ++t) {
    const std::vector<std::uint64_t> message = random_message(n, log2_p, prng);
    const std::vector<std::int32_t> weights = random_weights(n, bound, prng);
    const rlwe::Ciphertext x =
        rlwe::load_seeded(ctx, encrypt_seeded(*ctx, key, message, log2_p, prng, errors));
    rlwe::multiply_plain_add(x, small_plaintext(*ctx, weights), sum);
    add_product(message, weights, truth);
    result.norm2 += norm2(weights);
  }
  std::vector<std::uint64_t> server(format.positions.size()), client(format.positions.size());
  const Bytes reply =
      reshare(*ctx, public_key, std::move(sum), log2_p, format, noise_step, prng, server, errors);
  decrypt_reply(*ctx, key, reply, log2_p, format, client);
  result.bytes = reply.size();
  for (std::size_t i = 0; i < server.size(); ++i) {
    result.deviation.push_back(centred(client[i] + server[i] - truth[format.positions[i]], log2_p));
  }
  return result;
}

}  // namespace ap::bfv::oracle

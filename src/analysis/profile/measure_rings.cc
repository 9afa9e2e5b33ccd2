// Coefficient packing and the clear convolution.
#include <optional>

#include "analysis/profile/measure.h"
#include "base/error.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/plaintext/clear_conv.h"

namespace ap::cost {
namespace {

constexpr double kBudget = 4e-3;  ///< seconds for one operation
constexpr std::size_t kTerms = 16;
constexpr int kLog2P = 12;
/// Of the server's own noise; any step takes as long.
constexpr std::uint64_t kNoiseStep = 1;
// Prepared weights of a network do not stay in any cache from one inference to the next.
constexpr std::size_t kWeightBytes = std::size_t{64} << 20;

std::vector<std::uint64_t> random_words(Prng& prng, std::size_t count, int bits) {
  std::vector<std::uint64_t> words(count);
  sample_bits(prng, bits, words);
  return words;
}

bfv::ReplyFormat format_of(std::uint32_t n, std::uint32_t step) {
  bfv::ReplyFormat format;
  for (std::uint32_t i = 0; i < n; i += step) format.positions.push_back(i);
  return format;
}

double clear_seconds(const linear::Geometry& geometry) {
  Prng prng;
  std::vector<std::int16_t> weights(static_cast<std::size_t>(geometry.weight_count()), 3);
  const linear::ClearConv conv(geometry, weights);
  AlignedVector<std::uint32_t> x(static_cast<std::size_t>(geometry.in.size()), 5);
  AlignedVector<std::uint32_t> y(static_cast<std::size_t>(geometry.out().size()));
  const auto products = static_cast<double>(geometry.out().size()) * static_cast<double>(geometry.fan_in());
  return time_of([&] { conv.apply(std::span<const std::uint32_t>(x), std::span<std::uint32_t>(y)); },
                 kBudget) /
         products;
}

}  // namespace

RingCosts measure_ring(std::uint32_t n, int primes, int prime_bits) {
  RingCosts costs{.n = n, .primes = primes, .prime_bits = prime_bits};
  // A plaintext modulus of 2^12 fits the narrowest of these rings.
  const bfv::ContextPtr context =
      bfv::make_context({n, bfv::ntt_primes(prime_bits, n, static_cast<std::size_t>(primes))});
  Prng prng;
  const rlwe::SecretKey key(context, prng);
  const Bytes key_bytes = rlwe::PublicKey(key, prng).serialise();
  const rlwe::PublicKey public_key(context, key_bytes);
  costs.key_client = time_of(
      [&] {
        const rlwe::SecretKey fresh(context, prng);
        rlwe::PublicKey(fresh, prng).serialise();
      },
      kBudget / 2);
  costs.key_server = time_of([&] { rlwe::PublicKey(context, key_bytes); }, kBudget / 2);

  // Two uploads, encoded as a layer encodes them.
  const auto inputs = static_cast<int>(2 * n);
  const linear::Geometry geometry{.in = {inputs, 1, 1}, .window = {}, .groups = 1, .c_out = 1};
  const linear::HeLinear layer(linear::Layout(geometry, {1, 1, static_cast<int>(n), 1, 1, false}, n), context,
                               kLog2P, 0, 0, 0);
  const std::vector<std::uint64_t> r = random_words(prng, 2 * n, kLog2P);
  const Bytes uploads = layer.encrypt(key, r, random_seed());
  costs.upload_client = time_of([&] { layer.encrypt(key, r, random_seed()); }, kBudget) / 2;
  const ByteView upload = ByteView(uploads).first(uploads.size() / 2);
  costs.upload_server = time_of([&] { rlwe::load_seeded(context, upload); }, kBudget);

  const rlwe::Ciphertext x = rlwe::load_seeded(context, upload);
  std::vector<std::int32_t> coefficients(n, 3);
  const rlwe::Plaintext prepared = bfv::small_plaintext(*context, coefficients);
  const std::size_t polynomials = kWeightBytes / prepared.memory_bytes() / kTerms * kTerms;
  const std::vector<rlwe::Plaintext> weights(polynomials, prepared);
  const std::vector<const rlwe::Ciphertext*> terms(kTerms, &x);
  rlwe::Ciphertext sum(context, context->data());
  std::size_t at = 0;
  costs.product = time_of(
                      [&] {
                        std::vector<const rlwe::Plaintext*> w(kTerms);
                        for (auto& pointer : w) pointer = &weights[at++ % polynomials];
                        rlwe::multiply_plain_add(terms, w, sum);
                      },
                      kBudget) /
                  kTerms;

  // A reply with few and with all coefficients.
  double server[2], client[2], outputs[2];
  for (const std::size_t dense : {0U, 1U}) {
    const bfv::ReplyFormat format = format_of(n, dense ? 1 : 16);
    outputs[dense] = static_cast<double>(format.positions.size());
    std::vector<std::uint64_t> shares(format.positions.size());
    Bytes reply;
    server[dense] = time_of(
        [&] {
          rlwe::Ciphertext copy(context, context->data());
          reply =
              bfv::reshare(*context, public_key, std::move(copy), kLog2P, format, kNoiseStep, prng, shares);
        },
        kBudget);
    client[dense] =
        time_of([&] { bfv::decrypt_reply(*context, key, reply, kLog2P, format, shares); }, kBudget);
  }
  const double more = outputs[1] - outputs[0];
  costs.reply_server_output = std::max(0.0, (server[1] - server[0]) / more);
  costs.reply_server = std::max(0.0, server[0] - outputs[0] * costs.reply_server_output);
  costs.reply_client_output = std::max(0.0, (client[1] - client[0]) / more);
  costs.reply_client = std::max(0.0, client[0] - outputs[0] * costs.reply_client_output);
  return costs;
}

ClearCosts measure_clear() {
  const nn::Window three{3, 3, 1, 1, {1, 1, 1, 1}};
  return {clear_seconds({{64, 16, 16}, three, 1, 64}), clear_seconds({{1024, 1, 1}, {}, 1, 128}),
          clear_seconds({{64, 16, 16}, three, 64, 64})};
}

}  // namespace ap::cost

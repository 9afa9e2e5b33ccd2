// Both packings from key to shares. Secret are the seeds of both parties, the client's share and the weights.
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/mod_raise.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "layers/linear/simd/linear.h"
#include "tests/constant_time/secret.h"

namespace ap::constant_time {
namespace {

std::vector<std::int16_t> secret_weights(std::int64_t count) {
  std::vector<std::int16_t> weights(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int16_t>(i * 37 % 255) - 127;
  poison_all(weights);
  return weights;
}

std::vector<std::uint64_t> secret_share(std::int64_t count, std::uint64_t modulus) {
  std::vector<std::uint64_t> share(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < share.size(); ++i) share[i] = i * 0x9e3779b97f4a7c15u % modulus;
  poison_all(share);
  return share;
}

const linear::Geometry kConvolution{{2, 6, 6}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 3};

void coefficients(int prime_bits, std::size_t primes) {
  constexpr int kLog2P = 18;
  constexpr std::uint32_t kDegree = 2048;
  linear::Packing packing;
  packing.window_h = packing.window_w = 8;
  packing.channels_in = 2;
  const auto layer = std::make_shared<const linear::HeLinear>(
      linear::Layout(kConvolution, packing, kDegree),
      bfv::make_context({kDegree, bfv::ntt_primes(prime_bits, kDegree, primes)}), kLog2P, 3, 5, 1000);
  Prng prng(secret_seed(1));
  const rlwe::SecretKey secret(layer->context(), prng);
  const rlwe::PublicKey made(secret, prng);
  Bytes key_bytes = made.serialise();
  make_all_public(key_bytes);
  const rlwe::PublicKey key(layer->context(), key_bytes);
  const linear::PreparedLinear weights(layer, secret_weights(kConvolution.weight_count()));
  const auto share = secret_share(kConvolution.in.size(), std::uint64_t{1} << kLog2P);
  Bytes uploads = layer->encrypt(secret, share, secret_seed(2));
  make_all_public(uploads);
  std::vector<std::uint64_t> server(static_cast<std::size_t>(kConvolution.out().size())),
      client(server.size());
  Bytes replies = weights.apply(uploads, key, secret_seed(3), server);
  make_all_public(replies);
  layer->decrypt(secret, replies, client);
}
void one_prime() { coefficients(50, 1); }
void two_primes() { coefficients(35, 2); }

void slots(const linear::Geometry& geometry) {
  constexpr std::uint32_t kDegree = 2048;
  const auto plain = bfv::batch_primes(20, kDegree, 1);
  bfv::BatchParameters parameters;
  parameters.n = kDegree;
  parameters.data_primes = bfv::batch_primes(36, kDegree, 3);
  parameters.special_primes = bfv::batch_primes(37, kDegree, 1);
  parameters.plain_primes = plain;
  const auto context = bfv::make_batch_context(parameters);
  linear::SimdChoice options;
  options.flood_bits = 45;
  options.reply_level = 1;
  const auto layer = std::make_shared<const linear::SimdLinear>(geometry, context, options);
  Prng prng(secret_seed(1));
  const rlwe::SecretKey secret(context, prng);
  const rlwe::PublicKey key(secret, prng);
  rlwe::GaloisKeys rotations(secret, layer->elements(), prng);
  const linear::PreparedSimdLinear weights(layer, secret_weights(geometry.weight_count()));
  const auto share = secret_share(geometry.in.size(), plain.front());
  Bytes uploads = layer->encrypt(secret, share, secret_seed(2));
  make_all_public(uploads);
  std::vector<std::uint64_t> server(static_cast<std::size_t>(geometry.out().size())), client(server.size());
  Bytes replies = weights.apply(uploads, key, rotations, secret_seed(3), server);
  make_all_public(replies);
  layer->decrypt(secret, replies, client);
}
void slots_convolution() { slots(kConvolution); }
void slots_matrix() { slots({{20, 1, 1}, {}, 1, 10}); }

}  // namespace

// The sparse secret of a bootstrap, from its draw to its keys.
void raise_keys() {
  constexpr std::uint32_t kDegree = 1024;
  const auto primes = rlwe::primes(45, kDegree, 3);
  const auto context = std::make_shared<const rlwe::Context>(
      rlwe::Parameters{kDegree, {primes[0], primes[1]}, {primes[2]}, 0});
  const auto low =
      std::make_shared<const rlwe::Context>(rlwe::Parameters{kDegree, {primes[0]}, {primes[2]}, 0});
  Prng prng(secret_seed(9));
  const rlwe::SecretKey secret(context, prng);
  const rlwe::RaiseKeys keys(secret, low, 24, prng);
}

std::vector<Case> encryption_cases() {
  return {{"coefficients: one prime", one_prime},
          {"coefficients: two primes", two_primes},
          {"SIMD: convolution", slots_convolution},
          {"SIMD: matrix", slots_matrix},
          {"RLWE: keys of a sparse secret", raise_keys}};
}

}  // namespace ap::constant_time

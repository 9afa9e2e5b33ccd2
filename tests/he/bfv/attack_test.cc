// Why results are re-shared (systems that return them as they are lose their weights): the client knows a, so c1 of an
// unmasked result gives the weights by one division. With approximate re-sharing the same attack gives noise.
#include <gtest/gtest.h>

#include "base/bits.h"
#include "he/bfv/context_tables.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/wire.h"

namespace ap::bfv {
namespace {

constexpr std::uint32_t kN = 2048;
constexpr int kLog2P = 18;

/// c1 / a, as coefficients centred around 0. `c1` and `a` in NTT form.
std::vector<std::int64_t> divide(const Context& context, std::vector<std::uint64_t> c1,
                                 std::span<const std::uint64_t> a) {
  const std::uint64_t q = context.parameters().primes[0];
  const ring::Modulus modulus(q);
  for (std::size_t i = 0; i < c1.size(); ++i) {
    c1[i] = static_cast<std::uint64_t>(static_cast<ring::Uint128>(c1[i] % q) * modulus.inverse(a[i] % q) % q);
  }
  context.tables(0).inverse(c1);
  std::vector<std::int64_t> centred;
  for (const std::uint64_t v : c1) {
    centred.push_back(v > q / 2 ? static_cast<std::int64_t>(v) - static_cast<std::int64_t>(q)
                                : static_cast<std::int64_t>(v));
  }
  return centred;
}

std::size_t matches(const std::vector<std::int64_t>& found, const std::vector<std::int32_t>& weights) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) same += found[i] == weights[i];
  return same;
}

TEST(NoiseToWeights, DivisionRecoversTheWeightsOnlyWithoutReSharing) {
  Prng prng;
  const ContextPtr context = make_context({kN, ntt_primes(45, kN, 1)});
  const rlwe::SecretKey key(context, prng);
  const rlwe::PublicKey public_key(key, prng);
  std::vector<std::uint64_t> message(kN);
  sample_bits(prng, kLog2P, message);
  const rlwe::Ciphertext x = rlwe::load_seeded(context, encrypt_seeded(*context, key, message, kLog2P, prng));
  // A small layer: a 3x3 kernel of 8-bit weights among zeros.
  std::vector<std::int32_t> weights(kN, 0);
  for (const int i : {0, 1, 2, 32, 33, 34, 64, 65, 66})
    weights[static_cast<std::size_t>(i)] = static_cast<int>(prng.next64() % 255) - 127;
  const rlwe::Plaintext prepared = small_plaintext(*context, weights);

  rlwe::Ciphertext unmasked(context, context->data());
  rlwe::multiply_plain_add(x, prepared, unmasked);
  const std::vector<std::uint64_t> bare(unmasked[1].begin(), unmasked[1].end());
  EXPECT_EQ(matches(divide(*context, bare, x[1]), weights), kN) << "the attack itself must work";

  rlwe::Ciphertext masked(context, context->data());
  rlwe::multiply_plain_add(x, prepared, masked);
  ReplyFormat format;  // everything, to the last bit: the most an attacker can get
  for (std::uint32_t i = 0; i < kN; ++i) format.positions.push_back(i);
  std::vector<std::uint64_t> shares(kN);
  const Bytes reply = reshare(*context, public_key, std::move(masked), kLog2P, format, 0, prng, shares);
  const int bits = context->q_bits();
  const std::size_t half = packed_bytes(kN, bits);
  ASSERT_EQ(reply.size(), 2 * half);
  std::vector<std::uint64_t> c1(kN);
  unpack_bits(std::span(reply).subspan(half), bits, c1);
  context->tables(0).forward(c1);
  // A wrong quotient is uniform mod q: it equals the weights nowhere, not even where they are 0.
  EXPECT_LT(matches(divide(*context, c1, x[1]), weights), 4u);
}

}  // namespace
}  // namespace ap::bfv

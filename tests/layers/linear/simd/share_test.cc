#include "layers/linear/simd/share.h"
#include "he/rlwe/wire.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/layers/linear/simd/oracle.h"

namespace ap::linear {
namespace {

TEST(SimdShare, SharesAddUpInEverySlot) {
  oracle::SimdParty party(2048);
  const std::size_t n = party.context->n();
  const auto message = party.values(n);
  const rlwe::Ciphertext x =
      rlwe::load_seeded(party.context, bfv::batch_encrypt(*party.context, party.key, message, party.prng));
  for (const int flood_bits : {1, 30, 48}) {
    std::vector<std::uint64_t> server(n);
    // Flooding of 48 bits and 72 bits of q leave the noise at 12 bits of the last prime's 36.
    const Bytes reply = share_slots(*party.context, party.public_key, x, flood_bits, 1, party.prng, server);
    EXPECT_EQ(reply.size(), rlwe::ciphertext_bytes(*party.context, 1));
    const auto client = party.decrypt(rlwe::load_ciphertext(party.context, 1, reply));
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ((client[i] + server[i]) % party.p(), message[i]);
    EXPECT_NE(client, message);
  }
}

// The shares are fresh and uniform: their mean is p / 2 within five deviations.
TEST(SimdShare, ServerSharesAreUniform) {
  oracle::SimdParty party(2048);
  const rlwe::Ciphertext zero(party.context, 2);
  std::vector<std::uint64_t> first(2048), second(2048);
  share_slots(*party.context, party.public_key, zero, 10, 2, party.prng, first);
  share_slots(*party.context, party.public_key, zero, 10, 2, party.prng, second);
  EXPECT_NE(first, second);
  double mean = 0;
  for (const std::uint64_t share : first) mean += static_cast<double>(share) / 2048;
  EXPECT_NEAR(mean / static_cast<double>(party.p()), 0.5, 5 * 0.2887 / std::sqrt(2048.0));
}

}  // namespace
}  // namespace ap::linear

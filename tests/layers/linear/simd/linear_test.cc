#include "layers/linear/simd/linear.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/wire.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/layers/linear/simd/oracle.h"

namespace ap::linear {
namespace {

constexpr std::uint32_t kN = 2048;
constexpr int kFloodBits = 45;

Geometry conv(nn::Shape in, int c_out, int kernel, int stride = 1, int pad = 0, int groups = 1) {
  return {in, {kernel, kernel, stride, stride, {pad, pad, pad, pad}}, groups, c_out};
}

struct Layer {
  Layer(oracle::SimdParty& p, const Geometry& geometry, const SimdChoice& options)
      : party(p),
        shape(std::make_shared<const SimdLinear>(geometry, party.context, options)),
        weights(party.weights(static_cast<std::size_t>(geometry.weight_count()))),
        prepared(shape, weights),
        rotations(party.key, shape->elements(), party.prng) {}
  Seed seed() {
    Seed s;
    party.prng.fill(std::span<std::uint8_t>(s));
    return s;
  }
  oracle::SimdParty& party;
  std::shared_ptr<const SimdLinear> shape;
  std::vector<std::int16_t> weights;
  PreparedSimdLinear prepared;
  rlwe::GaloisKeys rotations;
};

TEST(SimdLayer, SharesAddUpToTheLayer) {
  oracle::SimdParty party(kN, 20, {36, 36, 36});
  int turn = 0;
  for (const Geometry& geometry :
       {conv({3, 8, 8}, 5, 3, 1, 1), conv({4, 9, 7}, 3, 3, 2, 1), conv({8, 6, 6}, 8, 3, 1, 1, 8),
        conv({6, 5, 5}, 4, 3, 1, 1, 2), conv({40, 8, 8}, 36, 1), conv({7, 1, 1}, 10, 1),
        conv({100, 1, 1}, 60, 1), conv({2500, 1, 1}, 3, 1), conv({3, 1, 1}, 1100, 1),
        conv({1100, 1, 1}, 5, 1)}) {
    for (const int more : {0, 1}) {
      SimdChoice options;
      options.conv = static_cast<SimdConvMethod>((turn + more) % 4);
      options.fc = static_cast<SimdFcMethod>((turn + 2 * more) % 4);
      options.flood_bits = kFloodBits;
      options.reply_level = 1 + turn % 3;
      Layer layer(party, geometry, options);
      const auto r = party.values(static_cast<std::size_t>(geometry.in.size()));
      const Bytes uploads = layer.shape->encrypt(party.key, r, layer.seed());
      ASSERT_EQ(uploads.size(), layer.shape->upload_bytes());
      std::vector<std::uint64_t> server(static_cast<std::size_t>(geometry.out().size())),
          client(server.size());
      const Bytes replies =
          layer.prepared.apply(uploads, party.public_key, layer.rotations, layer.seed(), server);
      ASSERT_EQ(replies.size(), layer.shape->reply_bytes());
      layer.shape->decrypt(party.key, replies, client);
      const auto expected = oracle::convolve(geometry, r, layer.weights, party.p());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ((client[i] + server[i]) % party.p(), expected[i])
            << geometry.in.c << " channels, output " << i;
      }
    }
    ++turn;
  }
}

// Slots that nobody reads hold partial sums of weights and masks before they are shared: the client must see
// nothing but uniform values there. Checked by the mean of each quarter of the range over all unread slots.
TEST(SimdLayer, UnreadSlotsAreUniform) {
  oracle::SimdParty party(kN, 20, {36, 36, 36});
  for (const Geometry& geometry : {conv({3, 8, 8}, 3, 3, 1, 1), conv({30, 1, 1}, 10, 1)}) {
    SimdChoice options;
    options.conv = SimdConvMethod::output_rotation;
    options.flood_bits = kFloodBits;
    Layer layer(party, geometry, options);
    std::vector<std::uint64_t> server(static_cast<std::size_t>(geometry.out().size()));
    const std::vector<std::uint64_t> ones(static_cast<std::size_t>(geometry.in.size()), 1);
    const Bytes uploads = layer.shape->encrypt(party.key, ones, layer.seed());
    std::vector<double> quarter(4);
    std::vector<std::uint64_t> first;
    constexpr int kRounds = 8;
    for (int round = 0; round < kRounds; ++round) {
      const Bytes reply =
          layer.prepared.apply(uploads, party.public_key, layer.rotations, layer.seed(), server);
      const auto slots = party.decrypt(
          rlwe::load_ciphertext(party.context, 1, ByteView(reply).first(layer.shape->each_reply_bytes())));
      if (round == 0) first = slots;
      if (round == 1) {
        std::size_t equal = 0;
        for (std::size_t i = 0; i < kN; ++i) equal += slots[i] == first[i];
        EXPECT_LE(equal, 3u) << "the same weights and masks gave the same slots twice";
      }
      for (const std::uint64_t v : slots) quarter[static_cast<std::size_t>(4 * v / party.p())] += 1;
    }
    const double expected = kRounds * kN / 4.0;
    for (const double count : quarter) EXPECT_NEAR(count, expected, 6 * std::sqrt(expected));
  }
}

TEST(SimdLayer, RefusesWrongSizes) {
  oracle::SimdParty party(kN, 20, {36, 36, 36});
  SimdChoice options;
  options.flood_bits = kFloodBits;
  const Geometry geometry = conv({3, 8, 8}, 3, 3, 1, 1);
  Layer layer(party, geometry, options);
  std::vector<std::uint64_t> shares(static_cast<std::size_t>(geometry.out().size()));
  for (const std::size_t size :
       {std::size_t{0}, layer.shape->upload_bytes() - 1, layer.shape->upload_bytes() + 1}) {
    EXPECT_THROW(layer.prepared.apply(Bytes(size), party.public_key, layer.rotations, layer.seed(), shares),
                 Error);
  }
  for (const std::size_t size :
       {std::size_t{0}, layer.shape->reply_bytes() - 1, layer.shape->reply_bytes() + 1}) {
    EXPECT_THROW(layer.shape->decrypt(party.key, Bytes(size), shares), Error);
  }
  // Residues that are not below their primes.
  EXPECT_THROW(layer.shape->decrypt(party.key, Bytes(layer.shape->reply_bytes(), 0xff), shares), Error);
  EXPECT_THROW(layer.prepared.apply(Bytes(layer.shape->upload_bytes(), 0xff), party.public_key,
                                    layer.rotations, layer.seed(), shares),
               Error);
  EXPECT_THROW(PreparedSimdLinear(layer.shape, std::vector<std::int16_t>(5)), Error);
  for (const int bits : {0, -1, 88, 1000}) {
    options.flood_bits = bits;
    EXPECT_THROW(SimdLinear(geometry, party.context, options), Error);
  }
  options.flood_bits = kFloodBits;
  for (const int level : {0, 4}) {
    options.reply_level = level;
    EXPECT_THROW(SimdLinear(geometry, party.context, options), Error);
  }
}

}  // namespace
}  // namespace ap::linear

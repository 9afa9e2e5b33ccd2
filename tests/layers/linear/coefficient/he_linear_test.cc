#include "layers/linear/coefficient/he_linear.h"
#include "he/rlwe/keys.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "layers/linear/coefficient/packing_choice.h"
#include "layers/linear/coefficient/prepared_linear.h"
#include "tests/layers/linear/reference.h"

namespace ap::linear {
namespace {

Seed seed_of(std::uint8_t value) {
  Seed seed{};
  seed.fill(value);
  return seed;
}

// Both parties in one process.
struct Parties {
  std::shared_ptr<const HeLinear> layer;
  Prng prng;
  rlwe::SecretKey secret;
  rlwe::PublicKey key;

  Parties(const Geometry& g, const Packing& p, std::uint32_t n, int prime_bits, int log2_p,
          int c0_dropped_bits, int c1_dropped_bits,
          rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial)
      : layer(std::make_shared<const HeLinear>(Layout(g, p, n),
                                               bfv::make_context({n, bfv::ntt_primes(prime_bits, n, 1)}),
                                               log2_p, c0_dropped_bits, c1_dropped_bits, 0)),
        prng(seed_of(9)),
        secret(layer->context(), prng),
        key(secret, prng, errors) {}

  double log2_q() const { return bfv::parameters(*layer->context()).log2_q(); }
};

// client share + server share - W r, as small signed numbers, for every output.
std::vector<std::int64_t> deviations(const Parties& parties, const std::vector<std::int16_t>& weights,
                                     Random& random,
                                     rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial) {
  const HeLinear& layer = *parties.layer;
  const Geometry& g = layer.layout().geometry();
  const auto r = random_values(static_cast<std::size_t>(g.in.size()), random, layer.log2_p());
  const PreparedLinear server(parties.layer, weights);
  const auto expected = naive_conv(g, r, weights);
  std::vector<std::uint64_t> ours(expected.size()), theirs(expected.size());
  Seed seed{};
  for (auto& byte : seed) byte = static_cast<std::uint8_t>(random());
  const Bytes uploads = layer.encrypt(parties.secret, r, seed, errors);
  EXPECT_EQ(uploads.size(), layer.upload_bytes());
  seed[0] ^= 1;
  const Bytes replies = server.apply(uploads, parties.key, seed, theirs, errors);
  EXPECT_EQ(replies.size(), layer.reply_bytes());
  layer.decrypt(parties.secret, replies, ours);
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const int shift = 64 - layer.log2_p();
    result.push_back(static_cast<std::int64_t>((ours[i] + theirs[i] - expected[i]) << shift) >> shift);
  }
  return result;
}

const std::vector<Geometry>& layers() {
  static const nn::Window k3{3, 3, 1, 1, {1, 1, 1, 1}}, k3s2{3, 3, 2, 2, {1, 1, 1, 1}};
  static const std::vector<Geometry> list = {{{3, 32, 32}, k3, 1, 16},
                                             {{16, 16, 16}, k3s2, 1, 32},
                                             {{64, 8, 8}, k3, 1, 64},
                                             {{16, 16, 16}, k3, 16, 16},
                                             {{16, 16, 16}, k3s2, 16, 16},
                                             {{96, 8, 8}, {}, 1, 16},
                                             {{16, 16, 16}, {1, 1, 2, 2, {}}, 1, 32},
                                             {{300, 1, 1}, {}, 1, 10},
                                             {{1, 28, 28}, {5, 5, 1, 1, {0, 0, 0, 0}}, 1, 6},
                                             {{8, 6, 6}, k3, 4, 8}};
  return list;
}

TEST(HeLinear, SharesSumToTheLayerUpToOne) {
  Random random(11);
  for (const Geometry& g : layers()) {
    const auto weights = random_weights(g, random, 8);
    for (const std::uint32_t n : {1024u, 2048u}) {
      // q / p is at least 2^20 times the noise, so only the two roundings remain.
      const Packing p = choose_packing(g, n, typical_costs(n, 58, 1, 8, 4)).packing;
      const Parties parties(g, p, n, 58, 22, 8, 4);
      std::size_t wrong = 0;
      for (const std::int64_t d : deviations(parties, weights, random)) {
        ASSERT_LE(std::abs(d), 1);
        wrong += d != 0;
      }
      EXPECT_LE(wrong, 1u);
    }
  }
}

TEST(HeLinear, RandomShapesAndPackings) {
  Random random(12);
  int tested = 0;
  while (tested < 60) {
    const Geometry g = random_geometry(random, 10, 4);
    const Packing p = random_packing(g, random);
    if (coefficients_needed(g, p) > 1024) continue;
    const auto weights = random_weights(g, random, 8);
    const Parties parties(g, p, 1024, 58, pick(random, 1, 24), 0, 0);
    for (const std::int64_t d : deviations(parties, weights, random)) {
      // Modulo 2 the deviation -1 reads as -1 too.
      ASSERT_LE(std::abs(d), 1);
    }
    ++tested;
  }
}

// The model of layers/linear/noise_model.h, written out once more (systems of approximate re-sharing: upload noise times
// the weights of the whole product, the encryption of zero, dropped bits), and the variance of the two
// roundings.
double expected_square(std::uint32_t n, double norm2, int c0_dropped_bits, int c1_dropped_bits,
                       double lsb_per_unit) {
  const double s2 = kErrorSigma * kErrorSigma;
  const auto dropped = [](int d) { return d == 0 ? 0 : (std::ldexp(1.0, 2 * d) + 2) / 12; };
  const double variance = (s2 + 1.0 / 12) * norm2 + s2 * (1 + 4.0 * n / 3) + dropped(c0_dropped_bits) +
                          2.0 * n / 3 * dropped(c1_dropped_bits);
  return variance * lsb_per_unit * lsb_per_unit + 1.0 / 6;
}

TEST(HeLinear, MeasuredNoiseEqualsTheModel) {
  Random random(13);
  const Geometry g{{8, 16, 16}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 8};
  const auto weights = random_weights(g, random, 8);
  struct Case {
    Packing packing;
    int c0_dropped_bits, c1_dropped_bits;
  };
  // Two outputs in one product: both their weights carry noise into each. Then the same with dropped bits
  // that matter.
  for (const Case& c : {Case{{18, 18, 3, 1, 1, false}, 0, 0}, Case{{18, 18, 1, 2, 1, false}, 0, 0},
                        Case{{18, 18, 3, 1, 1, false}, 12, 7}}) {
    const Parties parties(g, c.packing, 1024, 30, 22, c.c0_dropped_bits, c.c1_dropped_bits);
    const Layout& layout = parties.layer->layout();
    double predicted = 0, measured = 0, samples = 0;
    std::vector<std::int32_t> polynomial(layout.n());
    std::vector<double> expected(static_cast<std::size_t>(g.out().size()));
    double largest = 0;
    for (std::size_t reply = 0; reply < layout.replies(); ++reply) {
      double norm2 = 0;
      for (std::size_t t = 0; t < layout.terms(); ++t) {
        layout.encode_weights(layout.first_weight(reply) + t, weights, polynomial);
        for (const std::int32_t w : polynomial) norm2 += static_cast<double>(w) * w;
      }
      largest = std::max(largest, norm2);
      for (const std::uint32_t o : parties.layer->outputs(reply)) {
        expected[o] = expected_square(layout.n(), norm2, c.c0_dropped_bits, c.c1_dropped_bits,
                                      std::exp2(22 - parties.log2_q()));
      }
    }
    EXPECT_DOUBLE_EQ(max_reply_norm2(layout, weights), largest);
    for (int run = 0; run < 20; ++run) {
      const auto d = deviations(parties, weights, random);
      for (std::size_t i = 0; i < d.size(); ++i) {
        measured += static_cast<double>(d[i]) * static_cast<double>(d[i]);
        predicted += expected[i];
        ++samples;
      }
    }
    ASSERT_GE(samples, 1e4);
    EXPECT_GT(predicted / samples, 4) << "the noise must be visible";
    EXPECT_NEAR(measured / predicted, 1, 0.05) << c.packing.channels_out << ' ' << c.c0_dropped_bits;
  }
}

TEST(HeLinear, RefusesMalformedMessages) {
  Random random(14);
  const Geometry g{{4, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4};
  const Parties parties(g, {10, 10, 3, 4, 1, false}, 1024, 40, 16, 4, 2);
  const auto weights = random_weights(g, random, 8);
  const PreparedLinear server(parties.layer, weights);
  const auto r = random_values(256, random, 16);
  std::vector<std::uint64_t> shares(256);
  const Bytes good = parties.layer->encrypt(parties.secret, r, seed_of(1));
  const auto code_of = [&](const Bytes& uploads) {
    try {
      server.apply(uploads, parties.key, seed_of(2), shares);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::internal;
  };
  Bytes bad = good;
  bad.pop_back();
  EXPECT_EQ(code_of(bad), ErrorCode::peer);
  bad = good;
  bad.push_back(0);
  EXPECT_EQ(code_of(bad), ErrorCode::peer);
  EXPECT_EQ(code_of({}), ErrorCode::peer);
  bad.assign(good.size(), 0xff);
  EXPECT_EQ(code_of(bad), ErrorCode::peer);
  Bytes replies = server.apply(good, parties.key, seed_of(2), shares);
  replies.pop_back();
  EXPECT_THROW(parties.layer->decrypt(parties.secret, replies, shares), Error);
  EXPECT_THROW(PreparedLinear(parties.layer, std::span(weights).first(10)), Error);
  EXPECT_THROW(HeLinear(Layout(g, {10, 10, 3, 4, 1, false}, 1024),
                        bfv::make_context({2048, bfv::ntt_primes(40, 2048, 1)}), 16, 0, 0, 0),
               Error);
}

TEST(HeLinear, IsAFunctionOfItsSeedsAndMasksWithThem) {
  Random random(15);
  const Geometry g{{4, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4};
  const Parties parties(g, {10, 10, 1, 1, 1, false}, 1024, 40, 16, 4, 2);
  const PreparedLinear server(parties.layer, random_weights(g, random, 8));
  const auto r = random_values(256, random, 16);
  const Bytes uploads = parties.layer->encrypt(parties.secret, r, seed_of(1));
  EXPECT_EQ(uploads, parties.layer->encrypt(parties.secret, r, seed_of(1)));
  EXPECT_NE(uploads, parties.layer->encrypt(parties.secret, r, seed_of(2)));
  std::vector<std::uint64_t> a(256), b(256), c(256);
  const Bytes first = server.apply(uploads, parties.key, seed_of(3), a);
  EXPECT_EQ(first, server.apply(uploads, parties.key, seed_of(3), b));
  EXPECT_EQ(a, b);
  EXPECT_NE(first, server.apply(uploads, parties.key, seed_of(4), c));
  // A fresh mask moves nearly every share.
  int equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == c[i];
  EXPECT_LT(equal, 5);
}

}  // namespace
}  // namespace ap::linear

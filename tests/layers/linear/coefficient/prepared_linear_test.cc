#include "layers/linear/coefficient/prepared_linear.h"

#include <gtest/gtest.h>

#include <map>

#include "he/rlwe/evaluate.h"
#include "layers/linear/coefficient/packing_choice.h"
#include "tests/layers/linear/reference.h"

namespace ap::linear {
namespace {

constexpr rlwe::ErrorSource kErrors = rlwe::ErrorSource::centred_binomial;

Seed seed_of(std::uint8_t value) {
  Seed seed{};
  seed.fill(value);
  return seed;
}

const nn::Window k3{3, 3, 1, 1, {1, 1, 1, 1}}, k3s2{3, 3, 2, 2, {1, 1, 1, 1}}, k7{7, 7, 1, 1, {3, 3, 3, 3}};

// Several windows of several sums, one window, groups, phases, a map that is smaller than its kernel.
const std::vector<Geometry>& layers() {
  static const std::vector<Geometry> list = {{{3, 60, 60}, k3, 1, 5},      {{16, 16, 16}, k3s2, 1, 32},
                                             {{64, 8, 8}, k3, 1, 64},      {{40, 16, 16}, k3, 40, 40},
                                             {{16, 16, 16}, k3s2, 16, 16}, {{96, 8, 8}, {}, 1, 16},
                                             {{70, 1, 1}, {}, 1, 50},      {{4, 3, 3}, k7, 1, 4}};
  return list;
}

TEST(PreparedLinear, ListsTheWeightsOfAPolynomial) {
  Random random(3);
  for (const Geometry& g : layers()) {
    const Layout layout(g, choose_packing(g, 1024, typical_costs(1024, 30, 1, 0, 0)).packing, 1024);
    const auto weights = random_weights(g, random, 15);
    std::vector<std::int32_t> dense(1024), listed(1024);
    std::vector<bfv::Term> terms = {{1, 1}};  // what was there goes
    for (std::size_t i = 0; i < layout.weight_polynomials(); ++i) {
      layout.encode_weights(i, weights, dense);
      layout.list_weights(i, weights, terms);
      std::fill(listed.begin(), listed.end(), 0);
      for (const bfv::Term& term : terms) listed[term.position] += term.value;
      EXPECT_EQ(listed, dense) << i;
    }
  }
}

TEST(PreparedLinear, SparsePlaintextsAreThoseOfAllCoefficients) {
  Random random(4);
  const auto context = bfv::make_context({1024, bfv::ntt_primes(20, 1024, 2)});
  rlwe::Plaintext sparse(*context, 2);
  for (int run = 0; run < 20; ++run) {
    std::vector<bfv::Term> terms;
    std::vector<std::int32_t> dense(1024);
    for (int i = 0; i < 300; ++i) {
      // Half of the positions are met more than once; both ends of the range occur.
      const auto position = static_cast<std::uint32_t>(random() % 200 * 5);
      const auto value = i == 0   ? std::int16_t{-32768}
                         : i == 1 ? std::int16_t{32767}
                                  : static_cast<std::int16_t>(random());
      terms.push_back({position, value});
      dense[position] += value;
    }
    bfv::sparse_plaintext(*context, terms, sparse);
    const rlwe::Plaintext expected = bfv::small_plaintext(*context, dense);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(std::equal(sparse.part(i).begin(), sparse.part(i).end(), expected.part(i).begin())) << i;
    }
  }
}

// What a server sends that transforms all weights once and computes reply after reply.
Bytes with_weights_kept(const HeLinear& layer, std::span<const std::int16_t> weights, ByteView uploads,
                        const rlwe::PublicKey& key, const Seed& seed, std::span<std::uint64_t> shares) {
  const Layout& layout = layer.layout();
  const bfv::ContextPtr& context = layer.context();
  std::vector<rlwe::Plaintext> kept;
  std::vector<std::int32_t> coefficients(layout.n());
  for (std::size_t i = 0; i < layout.weight_polynomials(); ++i) {
    layout.encode_weights(i, weights, coefficients);
    kept.push_back(bfv::small_plaintext(*context, coefficients));
  }
  const std::size_t each = rlwe::seeded_bytes(*context);
  Bytes replies;
  for (std::size_t reply = 0; reply < layout.replies(); ++reply) {
    rlwe::Ciphertext sum(context, context->data());
    for (std::size_t t = 0; t < layout.terms(); ++t) {
      const auto x =
          rlwe::load_seeded(context, uploads.subspan((layout.first_upload(reply) + t) * each, each));
      rlwe::multiply_plain_add(x, kept[layout.first_weight(reply) + t], sum);
    }
    std::vector<std::uint64_t> own(layer.outputs(reply).size());
    Prng prng(seed, reply);
    const Bytes bytes = bfv::reshare(*context, key, std::move(sum), layer.log2_p(), layer.reply_format(reply),
                                     layer.noise_step(), prng, own, kErrors);
    replies.insert(replies.end(), bytes.begin(), bytes.end());
    for (std::size_t k = 0; k < own.size(); ++k) shares[layer.outputs(reply)[k]] = own[k];
  }
  return replies;
}

TEST(PreparedLinear, SendsWhatKeptWeightsSend) {
  Random random(5);
  for (const Geometry& g : layers()) {
    for (const auto& [bits, primes] : {std::pair{26, 1}, std::pair{45, 1}, std::pair{27, 2}}) {
      const auto context =
          bfv::make_context({1024, bfv::ntt_primes(bits, 1024, static_cast<std::size_t>(primes))});
      const Packing packing = choose_packing(g, 1024, typical_costs(1024, bits, primes, 3, 2)).packing;
      const auto layer = std::make_shared<const HeLinear>(Layout(g, packing, 1024), context, 16, 3, 2, 5);
      Prng prng(seed_of(9));
      const rlwe::SecretKey secret(context, prng);
      const rlwe::PublicKey key(secret, prng);
      const auto weights = random_weights(g, random, 15);
      const PreparedLinear server(layer, weights);
      const Bytes uploads = layer->encrypt(
          secret, random_values(static_cast<std::size_t>(g.in.size()), random, 16), seed_of(1));
      std::vector<std::uint64_t> a(static_cast<std::size_t>(g.out().size())), b(a.size());
      EXPECT_EQ(server.apply(uploads, key, seed_of(2), a),
                with_weights_kept(*layer, weights, uploads, key, seed_of(2), b));
      EXPECT_EQ(a, b);
      EXPECT_EQ(server.memory_bytes(), weights.size() * sizeof(std::int16_t));
      EXPECT_EQ(server.memory_bytes(), PreparedLinear::memory_bytes(*layer));
    }
  }
}

TEST(PreparedLinear, LargeLayersGoInParts) {
  Random random(6);
  const Geometry g{{4, 640, 640}, {}, 1, 2};
  const auto context = bfv::make_context({1024, bfv::ntt_primes(45, 1024, 1)});
  const Packing packing = choose_packing(g, 1024, typical_costs(1024, 45, 1, 20, 18)).packing;
  const auto layer = std::make_shared<const HeLinear>(Layout(g, packing, 1024), context, 20, 20, 18, 0);
  ASSERT_GT(layer->parts(), 1U);
  std::size_t up = 0, down = 0;
  for (std::size_t part = 0; part < layer->parts(); ++part) {
    EXPECT_LE(layer->part_upload_bytes(part), kPartBytes);
    EXPECT_LE(layer->part_reply_bytes(part), kPartBytes);
    up += layer->part_upload_bytes(part);
    down += layer->part_reply_bytes(part);
  }
  EXPECT_EQ(up, layer->upload_bytes());
  EXPECT_EQ(down, layer->reply_bytes());
  // Neighbouring parts could not be one.
  EXPECT_GT(std::max(layer->part_upload_bytes(0) + layer->part_upload_bytes(1),
                     layer->part_reply_bytes(0) + layer->part_reply_bytes(1)),
            kPartBytes);

  Prng prng(seed_of(9));
  const rlwe::SecretKey secret(context, prng);
  const rlwe::PublicKey key(secret, prng, rlwe::ErrorSource::none_for_tests);
  const auto weights = random_weights(g, random, 8);
  const PreparedLinear server(layer, weights);
  const auto r = random_values(static_cast<std::size_t>(g.in.size()), random, 20);
  const auto expected = naive_conv(g, r, weights);
  std::vector<std::uint64_t> ours(expected.size()), theirs(expected.size());
  for (std::size_t part = 0; part < layer->parts(); ++part) {
    const Bytes uploads = layer->encrypt(part, secret, r, seed_of(1), rlwe::ErrorSource::none_for_tests);
    ASSERT_EQ(uploads.size(), layer->part_upload_bytes(part));
    const Bytes replies =
        server.apply(part, uploads, key, seed_of(2), theirs, rlwe::ErrorSource::none_for_tests);
    ASSERT_EQ(replies.size(), layer->part_reply_bytes(part));
    layer->decrypt(part, secret, replies, ours);
  }
  std::map<std::int64_t, int> wrong;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto error = static_cast<std::int64_t>((ours[i] + theirs[i] - expected[i]) << 44) >> 44;
    if (error < -1 || error > 1) ++wrong[error];
  }
  EXPECT_TRUE(wrong.empty()) << wrong.size() << " kinds, first " << wrong.begin()->first;
  EXPECT_THROW(server.apply(1, Bytes(layer->part_upload_bytes(1) - 1), key, seed_of(2), theirs, kErrors),
               Error);
}

}  // namespace
}  // namespace ap::linear

#include "layers/activation/ot/square_step.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/ot/ot_activation.h"
#include "layers/activation/ot/ot_messages.h"
#include "tests/layers/activation/activation_reference.h"
#include "tests/mpc/two_parties.h"

namespace ap::activation {
namespace {

__extension__ typedef __int128 Wide;

SquareSpec square_spec(int value_bits, std::int64_t c0, std::int64_t c1, std::int64_t c2, int dropped = 0) {
  return {square_argument_bits(value_bits, c1, c2), 0, value_bits, c0, c1, c2, dropped};
}

/// The value from its definition, for the argument as a signed number; every other one that is equal to it
/// modulo 2^argument_bits must give the same.
std::uint64_t value_of(const SquareSpec& spec, std::uint64_t s, std::uint64_t c) {
  const std::uint64_t modulus = std::uint64_t{1} << spec.argument_bits;
  Wide t = static_cast<Wide>((s + c) % modulus);
  if (t >= static_cast<Wide>(modulus / 2)) t -= modulus;
  const Wide u =
      spec.constant + static_cast<Wide>(spec.linear) * t + static_cast<Wide>(spec.square) * (t * t);
  return static_cast<std::uint64_t>(u) & ((std::uint64_t{1} << spec.value_bits) - 1);
}

struct Words {
  std::vector<std::uint64_t> s, c;
};

/// Random words, with the extreme ones in all pairs.
Words words_of(int bits, std::size_t count, Prng& prng) {
  Words words{std::vector<std::uint64_t>(count), std::vector<std::uint64_t>(count)};
  sample_bits(prng, bits, words.s);
  sample_bits(prng, bits, words.c);
  const std::uint64_t top = (std::uint64_t{1} << bits) - 1;
  const std::uint64_t edges[] = {0, top & 1, top / 2, top / 2 + 1, top - 1, top};
  for (std::size_t i = 0; i < 36; ++i) {
    words.s[i] = edges[i / 6] & top;
    words.c[i] = edges[i % 6] & top;
  }
  return words;
}

TEST(SquareStep, SharesOfTheValueForEveryShapeAndExtremeWords) {
  Prng prng(mpc::test_seed(70));
  std::vector<SquareSpec> specs = {square_spec(2, 0, 0, 1),
                                   square_spec(3, 5, 3, 1),
                                   square_spec(22, 0, 0, 1),
                                   square_spec(22, -77, 1044, 1),
                                   square_spec(27, 123456, 512, 4),
                                   square_spec(40, 1, -1, -1),
                                   square_spec(40, 0, 0, 1 << 20),
                                   square_spec(30, 9, 7, -605),
                                   square_spec(16, 1, 1 << 15, 0),
                                   square_spec(12, 0, 0, 1LL << 40),
                                   square_spec(40, -(1LL << 48), 1LL << 48, (1LL << 48) - 1),
                                   square_spec(4, 1, 2, 8),
                                   square_spec(5, 1, 0, 8)};
  specs.push_back({40, 0, 20, 3, 2, 1, 0});  // a wider argument than needed
  for (const SquareSpec& spec : specs) {
    ASSERT_NO_THROW(spec.validate());
    const std::size_t count = 1037;
    const Words words = words_of(spec.argument_bits, count, prng);
    mpc::ChannelPair channels;
    SecretVector<std::uint64_t> client_share, server_share;
    mpc::run_two(
        channels,
        [&] {
          mpc::SilentCotSender cots(*channels.client, kClientSends, mpc::test_session(), prng);
          mpc::RandomOtSender ots(*channels.client, cots);
          const auto material = prepare_square_client(*channels.client, spec, words.c, ots);
          client_share = run_square_client(*channels.client, spec, material);
        },
        [&] {
          Prng own(mpc::test_seed(71));
          mpc::SilentCotReceiver cots(*channels.server, kClientSends, mpc::test_session(), own);
          mpc::RandomOtReceiver ots(*channels.server, cots);
          const auto material = prepare_square_server(*channels.server, spec, count, ots);
          server_share = run_square_server(*channels.server, spec, material, words.s);
        });
    const std::uint64_t mask = (std::uint64_t{1} << spec.value_bits) - 1;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ((client_share[i] + server_share[i]) & mask, value_of(spec, words.s[i], words.c[i]))
          << "value_bits " << spec.value_bits << ", c2 " << spec.square << ", element " << i;
    }
    const SquareCost cost = square_cost(spec, count);
    EXPECT_EQ(channels.client->sent_bytes(kSquareFactors), cost.offline_bytes);
    EXPECT_EQ(channels.server->sent_bytes(kSquareOpened), cost.online_bytes);
  }
}

TEST(SquareStep, ArgumentBitsAreTheFewestThatDetermineTheValue) {
  for (int value_bits = 2; value_bits <= 7; ++value_bits) {
    for (std::int64_t c1 = 0; c1 < 16; ++c1) {
      for (std::int64_t c2 = 0; c2 < 16; ++c2) {
        const auto same = [&](int bits) {
          for (std::int64_t t = 0; t < 128; ++t) {
            const std::int64_t other = t + (std::int64_t{1} << bits);
            const auto u = [&](std::int64_t x) {
              return static_cast<std::uint64_t>(c1 * x + c2 * x * x) % (1u << value_bits);
            };
            if (u(t) != u(other)) return false;
          }
          return true;
        };
        const int bits = square_argument_bits(value_bits, c1, c2);
        EXPECT_TRUE(same(bits)) << value_bits << ' ' << c1 << ' ' << c2;
      }
    }
  }
  EXPECT_EQ(square_argument_bits(22, 0, 1), 21);
  EXPECT_EQ(square_argument_bits(22, 1, 1), 22);
  EXPECT_EQ((SquareSpec{21, 0, 22, 0, 0, 4, 0}).product_bits(), 19);
}

TEST(SquareStep, BadSpecsAreRefused) {
  const SquareSpec good = square_spec(22, 0, 0, 1, 8);
  EXPECT_NO_THROW(good.validate());
  for (const auto& change : std::initializer_list<void (*)(SquareSpec&)>{
           [](SquareSpec& s) { s.value_bits = 41; }, [](SquareSpec& s) { s.value_bits = 1; },
           [](SquareSpec& s) { s.argument_bits = 20; }, [](SquareSpec& s) { s.argument_bits = 41; },
           [](SquareSpec& s) { s.guard_bits = 17; }, [](SquareSpec& s) { s.guard_bits = -1; },
           [](SquareSpec& s) { s.dropped_bits = 21; }, [](SquareSpec& s) { s.dropped_bits = -1; }}) {
    SquareSpec bad = good;
    change(bad);
    EXPECT_THROW(bad.validate(), Error);
  }
  ActivationSpec layer = plain_spec(3, 10, 8, 18, 4);
  layer.square = good;
  EXPECT_NO_THROW(layer.validate());
  EXPECT_THROW(table_bytes(layer), Error);  // not by garbling
  layer.guard_bits = 3;
  EXPECT_THROW(layer.validate(), Error);
}

ActivationSpec quadratic_layer(std::size_t count) {
  ActivationSpec spec = plain_spec(count, 12, 8, 18, 3);
  spec.square = square_spec(22, 1000, 517, 1, 7);
  return spec;
}

/// With all guard bits exact the result is that of the definition, whatever the words.
TEST(SquareActivation, ExactTruncationsOfArgumentAndResult) {
  Prng prng(mpc::test_seed(73));
  for (const auto& [guard, post, c1, c2] : {std::array{1, 4, 0, 1},
                                            {3, 9, 517, 1},
                                            {4, 10, -3, 2},
                                            {7, 11, 203, 1},
                                            {9, 12, 1, -1},
                                            {16, 14, 77, 3}}) {
    ActivationSpec spec = plain_spec(4001, 23 - post, 8, 20, post);
    spec.square = square_spec(23, 6494, c1, c2);
    spec.square->guard_bits = guard;
    const std::size_t count = spec.inputs;
    const Words words = words_of(spec.argument_bits(), count, prng);
    std::vector<std::uint64_t> masks(count), result;
    sample_bits(prng, spec.out_bits, masks);
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          OtActivationClient client(*channels.client, mpc::test_session());
          client.run(client.prepare(spec, words.c), {}, masks);
        },
        [&] {
          OtActivationServer server(*channels.server, mpc::test_session());
          result = server.run(server.prepare(spec), words.s);
        });
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t t =
          ((words.s[i] + words.c[i]) & ((std::uint64_t{1} << spec.argument_bits()) - 1)) >> guard;
      auto u = static_cast<std::int64_t>(value_of(*spec.square, t, 0));
      if (u >= 1 << 22) u -= 1 << 23;
      const auto v = static_cast<std::uint64_t>(std::clamp<std::int64_t>(u >> post, 0, 255));
      ASSERT_EQ(result[i], (v - masks[i]) & 0xfffff) << guard << ' ' << i;
    }
    const OtCost cost = ot_cost(spec);
    std::uint64_t up = 0, down = 0;
    for (net::MessageType type = kOtChoices; type <= kOtCorrection; ++type) {
      up += channels.client->sent_bytes(type);
      down += channels.server->sent_bytes(type);
    }
    EXPECT_EQ(up, cost.client_bytes);
    EXPECT_EQ(down + channels.server->sent_bytes(kSquareOpened), cost.server_bytes);
  }
}

/// The clamped result: within one of the exact one, since each party drops bits of its own share.
TEST(SquareActivation, ClampedQuadraticOfSharesAndItsBytes) {
  Prng prng(mpc::test_seed(72));
  const std::size_t count = 5000;
  const ActivationSpec spec = quadratic_layer(count);
  const Words words = words_of(spec.argument_bits(), count, prng);
  std::vector<std::uint64_t> masks(count), result;
  sample_bits(prng, spec.out_bits, masks);
  mpc::ChannelPair channels;
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient client(*channels.client, mpc::test_session());
        client.expect(ot_cost(spec));
        client.run(client.prepare(spec, words.c), {}, masks);
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session());
        server.expect(ot_cost(spec));
        result = server.run(server.prepare(spec), words.s);
      });
  const std::uint64_t out_mask = (std::uint64_t{1} << spec.out_bits) - 1;
  for (std::size_t i = 0; i < count; ++i) {
    auto u = static_cast<std::int64_t>(value_of(*spec.square, words.s[i], words.c[i]));
    if (u >= 1 << 21) u -= 1 << 22;
    const auto v = static_cast<std::int64_t>((result[i] + masks[i]) & out_mask);
    const std::int64_t exact = std::clamp<std::int64_t>(u >> 10, 0, 255);
    // One less where the dropped bits carry; at the very bottom of the range that wraps to the top.
    const std::int64_t lower =
        u < -(1 << 21) + (1 << 10) ? 255 : std::clamp<std::int64_t>((u - 127) >> 10, 0, 255);
    ASSERT_TRUE(v == exact || v == lower) << i << ": " << u << ' ' << v;
  }
  const OtCost cost = ot_cost(spec);
  std::uint64_t up = 0, down = 0;
  for (net::MessageType type = kOtChoices; type <= kOtCorrection; ++type) {
    up += channels.client->sent_bytes(type);
    down += channels.server->sent_bytes(type);
  }
  down += channels.server->sent_bytes(kSquareOpened);
  EXPECT_EQ(up, cost.client_bytes);
  EXPECT_EQ(down, cost.server_bytes);
  EXPECT_EQ(channels.client->sent_bytes(kSquareFactors), cost.offline_bytes);
}

ErrorCode code_of(const auto& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(SquareActivation, MaterialServesOnceAndSharesComeInTime) {
  mpc::ChannelPair channels;
  const ActivationSpec spec = quadratic_layer(3);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient client(*channels.client, mpc::test_session());
        EXPECT_EQ(code_of([&] { client.prepare(spec); }), ErrorCode::input);
        EXPECT_EQ(code_of([&] { client.prepare(plain_spec(3, 5, 3, 8), words); }), ErrorCode::input);
        OtClientPreprocessing material = client.prepare(spec, words);
        client.run(std::move(material), {}, words);
        EXPECT_EQ(code_of([&] { client.run(std::move(material), {}, words); }), ErrorCode::security);
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session());
        OtServerPreprocessing material = server.prepare(spec);
        server.run(std::move(material), words);
        EXPECT_EQ(code_of([&] { server.run(std::move(material), words); }), ErrorCode::security);
      });
}

TEST(SquareActivation, WrongSizesAreRefused) {
  const ActivationSpec spec = quadratic_layer(3);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{10}, std::size_t{100000}}) {
    mpc::ChannelPair channels;
    ErrorCode code = ErrorCode::internal;
    mpc::run_two(
        channels,
        [&] {
          OtActivationClient client(*channels.client, mpc::test_session());
          OtClientPreprocessing material = client.prepare(spec, words);
          code = code_of([&] { client.run(std::move(material), {}, words); });
        },
        [&] {
          OtActivationServer server(*channels.server, mpc::test_session());
          OtServerPreprocessing material = server.prepare(spec);
          channels.server->send(kSquareOpened, Bytes(size));
        });
    EXPECT_EQ(code, ErrorCode::peer);
  }
}

/// What is opened, and what is sent offline, is balanced whatever the words.
TEST(SquareStep, MessagesHideTheWords) {
  const std::size_t count = 1 << 14;
  const SquareSpec spec = square_spec(22, 0, 3, 1);
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x3fffff}}) {
    const std::vector<std::uint64_t> words(count, value);
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          Prng prng;
          mpc::SilentCotSender cots(*channels.client, kClientSends, mpc::test_session(), prng);
          mpc::RandomOtSender ots(*channels.client, cots);
          prepare_square_client(*channels.client, spec, words, ots);
          const Bytes opened = channels.client->receive_exactly(kSquareOpened, packed_bytes(count, 21));
          double ones = 0;
          for (const std::uint8_t byte : opened) ones += __builtin_popcount(byte);
          const double bits = 21.0 * static_cast<double>(count);
          EXPECT_LT(std::abs(ones - bits / 2), 6 * std::sqrt(bits) / 2);
        },
        [&] {
          Prng prng;
          mpc::SilentCotReceiver cots(*channels.server, kClientSends, mpc::test_session(), prng);
          mpc::RandomOtReceiver ots(*channels.server, cots);
          const auto material = prepare_square_server(*channels.server, spec, count, ots);
          run_square_server(*channels.server, spec, material, words);
        });
  }
}

}  // namespace
}  // namespace ap::activation

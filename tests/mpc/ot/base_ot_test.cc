#include "mpc/ot/base_ot.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/error.h"
#include "crypto/ristretto255.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr BaseOtMessages kMessages{1, 2};

TEST(BaseOt, ReceiverGetsTheChosenSeedAndOnlyThat) {
  ChannelPair channels;
  Prng client_prng(test_seed(1));
  Prng server_prng(test_seed(2));
  std::vector<std::uint8_t> choices(128);
  for (std::size_t j = 0; j < choices.size(); ++j) choices[j] = (j * j / 3) & 1;
  SecretVector<Seed> received;
  SecretVector<SeedPair> pairs;
  run_two(
      channels, [&] { received = base_ot_receive(*channels.client, kMessages, client_prng, choices); },
      [&] { pairs = base_ot_send(*channels.server, kMessages, server_prng, choices.size()); });
  std::set<Seed> distinct;
  for (std::size_t j = 0; j < choices.size(); ++j) {
    EXPECT_EQ(received[j], pairs[j][choices[j]]);
    EXPECT_NE(received[j], pairs[j][1 - choices[j]]);
    distinct.insert(pairs[j].begin(), pairs[j].end());
  }
  EXPECT_EQ(distinct.size(), 256u);
  EXPECT_EQ(channels.server->sent_bytes(1), 32u);
  EXPECT_EQ(channels.client->sent_bytes(2), 128u * 32);
}

/// The code of the error that the honest party meets when the other one sends these bytes.
template <typename Honest>
ErrorCode code_of(const Honest& honest) {
  try {
    honest();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(BaseOt, BadPointsFromTheSenderAreRefused) {
  std::vector<Bytes> bad = {Bytes(32, 0), Bytes(32, 0xff), Bytes(31, 7), Bytes(33, 7)};
  bad.push_back(Bytes(32, 0));
  bad.back()[0] = 1;  // odd, so not the encoding of any element
  const std::vector<std::uint8_t> choices(4, 1);
  for (const Bytes& message : bad) {
    ChannelPair channels;
    Prng prng(test_seed(3));
    channels.server->send(kMessages.sender_point, message);
    EXPECT_EQ(code_of([&] { base_ot_receive(*channels.client, kMessages, prng, choices); }), ErrorCode::peer);
  }
}

TEST(BaseOt, BadPointsFromTheReceiverAreRefused) {
  const auto answer = [](const auto& make_reply) {
    ChannelPair channels;
    Prng prng(test_seed(4));
    ErrorCode code = ErrorCode::internal;
    std::thread sender([&] { code = code_of([&] { base_ot_send(*channels.server, kMessages, prng, 2); }); });
    const Bytes point = channels.client->receive_exactly(kMessages.sender_point, 32);
    channels.client->send(kMessages.receiver_points, make_reply(point));
    sender.join();
    return code;
  };
  const auto twice = [](const Bytes& first, const Bytes& second) {
    Bytes both = first;
    both.insert(both.end(), second.begin(), second.end());
    return both;
  };
  crypto::ristretto255::Element element;
  ASSERT_TRUE(crypto::ristretto255::multiply_base({5}, element));
  const Bytes good(element.begin(), element.end());
  EXPECT_EQ(answer([&](const Bytes&) { return twice(good, Bytes(32, 0xff)); }), ErrorCode::peer);
  EXPECT_EQ(answer([&](const Bytes&) { return twice(good, Bytes(32, 0)); }), ErrorCode::peer);
  EXPECT_EQ(answer([&](const Bytes& sent) { return twice(good, sent); }), ErrorCode::peer);  // R = S
  EXPECT_EQ(answer([&](const Bytes&) { return good; }), ErrorCode::peer);                    // too short
  EXPECT_EQ(answer([&](const Bytes&) { return twice(good, good); }), ErrorCode::internal);   // no error
}

}  // namespace
}  // namespace ap::mpc

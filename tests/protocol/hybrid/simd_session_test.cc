// Whole inferences whose linear layers are packed for SIMD and whose shares live modulo primes.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "analysis/prediction/choose_protocols.h"
#include "base/error.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/wire.h"
#include "net/channel/channel.h"
#include "nn/execute/integer_executor.h"
#include "package/package.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package simd_package(const nn::QuantisedNetwork& network,
                              const test::SimdPlanOptions& options = {}) {
  return test::packaged(network, test::simd_plan(network, plan::select_exact(network), options));
}

std::vector<std::int32_t> random_image(const nn::QNode& input, Prng& prng) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(input.shape.size()));
  const auto values = static_cast<std::uint64_t>(input.high - input.low + 1);
  for (std::int32_t& v : image)
    v = static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % values));
  return image;
}

struct Inference {
  std::vector<Share> client, server;  ///< by node
  SecretVector<std::int64_t> logits;
};

Inference infer(const package::Package& package, std::span<const std::int32_t> image) {
  const ServerModel server_model(package);
  const Model model(nn::strip_weights(package.network), package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  const std::size_t nodes = package.network.nodes.size();
  Inference result{std::vector<Share>(nodes), std::vector<Share>(nodes), {}};
  const auto keep = [](std::vector<Share>& to) {
    return [&to](int node, ShareView share) {
      to[static_cast<std::size_t>(node)].assign(share.begin(), share.end());
    };
  };
  ServerOptions server_options;
  server_options.observer = keep(result.server);
  std::thread server(
      [&, channel = server_end.get()] { serve_session(server_model, *channel, server_options); });
  ClientOptions client_options;
  client_options.weak = WeakParameters::allow_for_tests;
  client_options.observer = keep(result.client);
  ClientSession session(model, package.id, *client_end, client_options);
  result.logits = session.infer(image);
  session.finish();
  server.join();
  return result;
}

/// Every node of the simd components, exactly; all of them if everything is simd.
void expect_exact(const package::Package& package, std::span<const std::int32_t> image,
                  const Inference& run) {
  const auto clear = nn::run_integer(package.network, image);
  const Model model(package.network, package.plan);
  for (std::size_t i = 1; i < clear.size(); ++i) {
    const ShareModulus& modulus = model.modulus(static_cast<int>(i));
    ASSERT_EQ(run.client[i].size(), clear[i].size());
    for (std::size_t k = 0; k < clear[i].size(); ++k) {
      ASSERT_LT(run.client[i][k], modulus.value());
      ASSERT_LT(run.server[i][k], modulus.value());
      ASSERT_EQ(modulus.add(run.client[i][k], run.server[i][k]), modulus.from_signed(clear[i][k]))
          << package.network.nodes[i].name << '[' << k << ']';
    }
  }
  EXPECT_TRUE(std::equal(run.logits.begin(), run.logits.end(), clear.back().begin(), clear.back().end()));
}

TEST(SimdSession, EveryNodeIsExact) {
  Prng prng;
  for (const std::uint8_t seed : {1, 2}) {
    const package::Package package = simd_package(test::small_network(seed));
    ASSERT_EQ(package.plan.batch_groups.size(), 4u);
    EXPECT_TRUE(package.plan.groups.empty());
    const auto image = random_image(package.network.nodes[0], prng);
    expect_exact(package, image, infer(package, image));
  }
}

// Activations lead from shares modulo a power of two to shares modulo a prime and back.
TEST(SimdSession, MixesWithCoefficientPacking) {
  Prng prng;
  for (const std::vector<bool>& simd :
       {std::vector{true, false, true, false}, std::vector{false, true, false, true}}) {
    test::SimdPlanOptions options;
    options.simd = simd;
    const package::Package package = simd_package(test::small_network(3), options);
    EXPECT_FALSE(package.plan.groups.empty());
    const auto image = random_image(package.network.nodes[0], prng);
    const Inference run = infer(package, image);
    const auto clear = nn::integer_logits(package.network, image);
    // Re-sharing moves an accumulator by one so rarely that a shift seldom lets it through.
    for (std::size_t k = 0; k < clear.size(); ++k) EXPECT_LE(std::abs(run.logits[k] - clear[k]), 300) << k;
  }
}

TEST(SimdSession, PrimesAreNeverRunByTransfers) {
  package::Package package = simd_package(test::small_network());
  const Model model(package.network, package.plan);
  EXPECT_FALSE(wants_link(model));
  for (const ActivationProtocol protocol : choose_protocols(model, {1e-9, 1}))
    EXPECT_EQ(protocol, ActivationProtocol::gc);
  package.plan.activations[1].protocol = "ot";
  try {
    plan::validate(package.plan, package.network);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("ot"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("prime"), std::string::npos) << e.what();
  }
}

/// What the server says when a client sends `keys` for the keys of slots.
std::string refusal_of(const package::Package& package, const Bytes& keys) {
  const ServerModel server_model(package);
  auto [client, server_end] = net::make_local_channels();
  std::string refusal;
  std::thread server([&, channel = server_end.get()] {
    try {
      serve_session(server_model, *channel);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::peer);
      refusal = e.what();
      channel->close();
    }
  });
  ByteWriter hello;
  hello.u16(kProtocolVersion);
  hello.raw(package.id);
  client->send(kHello, hello.bytes());
  client->receive(kWelcome, 0, 1000);
  client->send(kNonce, Bytes(32));
  client->receive_exactly(kNonce, 32);
  client->send(kCommand, Bytes{static_cast<std::uint8_t>(Command::prepare)});
  Bytes protocols;
  for (const ActivationProtocol protocol : named_protocols(server_model.model())) {
    protocols.push_back(static_cast<std::uint8_t>(protocol));
  }
  client->send(kProtocols, protocols);
  client->send(kPublicKeys, {});  // no layer is packed by coefficients
  client->send(kSlotKeys, keys);
  client->close();
  server.join();
  return refusal;
}

TEST(SimdSession, RefusesKeysOfWrongSizesAndValues) {
  const package::Package package = simd_package(test::small_network());
  const Model model(package.network, package.plan);
  const BatchGroup& first = model.groups().batch[0];
  const std::size_t size =
      rlwe::seeded_bytes(*first.context) + rlwe::GaloisKeys::serialised_bytes(*first.context, first.elements);
  for (const std::size_t wrong : {std::size_t{0}, size - 1, size + 1}) {
    EXPECT_NE(refusal_of(package, Bytes(wrong)), "") << wrong << " of " << size;
  }
  Bytes keys(size);
  std::fill_n(keys.begin() + 32, 64, std::uint8_t{0xff});  // b of the public key
  EXPECT_NE(refusal_of(package, keys), "");
  EXPECT_NE(refusal_of(package, Bytes(size, 0xff)), "");
}

TEST(SimdSession, SharesOutOfRangeAreRefused) {
  const ShareModulus prime(bfv::batch_primes(20, 2048, 1)[0]);
  const Share good{0, prime.value() - 1};
  EXPECT_EQ(unpack_shares(pack_shares(good, prime), 2, prime, "shares"), good);
  EXPECT_THROW(unpack_shares(pack_shares(Share{0, prime.value()}, prime), 2, prime, "shares"), Error);
}

}  // namespace
}  // namespace ap::protocol

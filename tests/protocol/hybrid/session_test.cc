#include "he/rlwe/polynomial.h"
#include "protocol/hybrid/client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "nn/execute/integer_executor.h"
#include "package/package.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/server.h"
#include "protocol/hybrid/share.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package make_server_package(const nn::QuantisedNetwork& network,
                                     const plan::SelectOptions& options = {}) {
  return test::packaged(network, plan::select_exact(network, options));
}

/// What both parties held in one inference.
struct Shares {
  std::vector<Share> client, server;
};

std::vector<std::int32_t> random_input(const nn::QNode& input, Prng& prng) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(input.shape.size()));
  for (std::int32_t& v : image) {
    v = static_cast<std::int32_t>(
        input.low +
        static_cast<std::int64_t>(prng.next64() % static_cast<std::uint64_t>(input.high - input.low + 1)));
  }
  return image;
}

SecretVector<std::int64_t> run_private(const package::Package& package, std::span<const std::int32_t> image,
                                       rlwe::ErrorSource errors, Shares* shares = nullptr) {
  const ServerModel server_model(package);
  const Model client_model(package.network, package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  const std::size_t nodes = package.network.nodes.size();
  Shares seen{std::vector<Share>(nodes), std::vector<Share>(nodes)};
  const auto keep = [](std::vector<Share>& to) {
    return [&to](int node, ShareView share) {
      to[static_cast<std::size_t>(node)].assign(share.begin(), share.end());
    };
  };
  ServerOptions server_options;
  server_options.errors = errors;
  server_options.observer = keep(seen.server);
  std::thread server([&] { serve_session(server_model, *server_channel, server_options); });
  ClientOptions client_options;
  client_options.errors = errors;
  client_options.observer = keep(seen.client);
  SecretVector<std::int64_t> logits;
  {
    ClientSession session(client_model, package.id, *client_channel, client_options);
    session.prepare();
    logits = session.infer(image);
    session.finish();
  }
  server.join();
  // The server does not call its observer for the input: its share is x - r.
  seen.server[0].resize(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    seen.server[0][i] = static_cast<std::uint64_t>(std::int64_t{image[i]}) - seen.client[0][i];
  }
  if (shares) *shares = std::move(seen);
  return logits;
}

std::vector<std::int32_t> reconstruct(const Shares& shares, const plan::Plan& plan, std::size_t node) {
  const int bits = plan.modulus_bits[node];
  std::vector<std::int32_t> out(shares.client[node].size());
  EXPECT_EQ(out.size(), shares.server[node].size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::int32_t>(ShareModulus::power_of_two(bits).to_signed(
        (shares.client[node][i] + shares.server[node][i]) & low_mask(bits)));
  }
  return out;
}

/// Every node of one inference against the integer network, each from the values that its inputs really had:
/// an accumulator deviates by at most 1 (approximate re-sharing), a local node not at all, an activation by
/// at most 1 (local truncation). Returns the largest deviation of an accumulator.
int expect_declared_deviations(const package::Package& package, const Shares& shares) {
  const nn::IntegerExecutor executor(package.network);
  int largest = 0;
  std::vector<std::vector<std::int32_t>> values;
  for (std::size_t i = 0; i < package.network.nodes.size(); ++i)
    values.push_back(reconstruct(shares, package.plan, i));
  for (std::size_t i = 1; i < values.size(); ++i) {
    const nn::QNode& node = package.network.nodes[i];
    std::vector<std::span<const std::int32_t>> inputs;
    for (const int input : node.inputs) inputs.emplace_back(values[static_cast<std::size_t>(input)]);
    const std::vector<std::int32_t> expected = executor.evaluate(static_cast<int>(i), inputs);
    const bool exact =
        !std::holds_alternative<nn::QLinear>(node.op) && !std::holds_alternative<nn::QActivation>(node.op);
    // A node that nothing but sums and linear layers read need not fit its modulus: compare modulo it.
    const int bits = package.plan.modulus_bits[i];
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const auto difference = static_cast<std::uint64_t>(std::int64_t{values[i][k]} - expected[k]);
      const auto deviation =
          static_cast<int>(std::abs(ShareModulus::power_of_two(bits).to_signed(difference & low_mask(bits))));
      EXPECT_LE(deviation, exact ? 0 : 1) << node.name << '[' << k << ']';
      if (std::holds_alternative<nn::QLinear>(node.op)) largest = std::max(largest, deviation);
      if (deviation > (exact ? 0 : 1)) return deviation;
    }
  }
  return largest;
}

/// As much noise as failures of 2^-40 allow, and truncations of which only two bits are exact.
plan::SelectOptions loose() {
  plan::SelectOptions options;
  options.max_changes = 1e9;
  options.guard_bits = 2;
  return options;
}

TEST(Session, WithoutNoiseEveryAccumulatorIsWithinOne) {
  Prng prng;
  const package::Package package = make_server_package(test::small_network(), loose());
  for (int repeat = 0; repeat < 5; ++repeat) {
    Shares shares;
    run_private(package, random_input(package.network.nodes[0], prng), rlwe::ErrorSource::none_for_tests,
                &shares);
    expect_declared_deviations(package, shares);
  }
}

TEST(Session, WithNoiseEveryAccumulatorIsWithinOne) {
  Prng prng;
  for (std::uint8_t seed = 1; seed <= 4; ++seed) {
    const package::Package package = make_server_package(test::small_network(seed), loose());
    Shares shares;
    const auto image = random_input(package.network.nodes[0], prng);
    const auto logits = run_private(package, image, rlwe::ErrorSource::centred_binomial, &shares);
    expect_declared_deviations(package, shares);
    const auto last = reconstruct(shares, package.plan, package.network.nodes.size() - 1);
    EXPECT_TRUE(std::equal(logits.begin(), logits.end(), last.begin(), last.end()));
  }
}

/// Every activation by `protocol`, or alternately by both if it is empty.
package::Package with_protocol(package::Package package, const std::string& protocol) {
  for (std::size_t i = 0; i < package.plan.activations.size(); ++i) {
    package.plan.activations[i].protocol = !protocol.empty() ? protocol : i % 2 == 0 ? "gc" : "ot";
  }
  package.id = package::make_packages(package).id;
  return package;
}

TEST(Session, EveryProtocolKeepsTheDeclaredDeviations) {
  Prng prng;
  for (const char* protocol : {"gc", "ot", "", "auto"}) {
    SCOPED_TRACE(protocol);
    const package::Package package =
        with_protocol(make_server_package(test::small_network(3), loose()), protocol);
    Shares shares;
    run_private(package, random_input(package.network.nodes[0], prng), rlwe::ErrorSource::centred_binomial,
                &shares);
    expect_declared_deviations(package, shares);
  }
}

// Policy exact as it is by default: no truncation deviates, and deviations of re-sharing are rarer than one
// inference.
TEST(Session, ExactPolicyGivesTheClearLogits) {
  Prng prng;
  int different = 0;
  for (std::uint8_t seed = 1; seed <= 8; ++seed) {
    const package::Package package = make_server_package(test::small_network(seed));
    const auto image = random_input(package.network.nodes[0], prng);
    const auto logits = run_private(package, image, rlwe::ErrorSource::centred_binomial);
    const auto clear = nn::integer_logits(package.network, image);
    for (std::size_t i = 0; i < logits.size(); ++i) different += std::abs(logits[i] - clear[i]) > 1;
  }
  // 0.1 changed activations per inference are expected at most; eight inferences with more than a few changed
  // logits would mean another kind of error.
  EXPECT_LE(different, 20);
}

TEST(Session, ServesSeveralInferencesAndPreparesAhead) {
  Prng prng;
  const package::Package package = make_server_package(test::small_network());
  const ServerModel server_model(package);
  const Model client_model(package.network, package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  int answered = 0;
  ServerOptions options;
  options.on_inference = [&] { ++answered; };
  std::thread server([&, channel = server_channel.get()] { serve_session(server_model, *channel, options); });
  const nn::IntegerExecutor executor(package.network);
  {
    ClientSession session(client_model, package.id, *client_channel);
    session.prepare();
    session.prepare();
    EXPECT_EQ(session.prepared(), 2u);
    for (int i = 0; i < 3; ++i) {
      const auto image = random_input(package.network.nodes[0], prng);
      const auto logits = session.infer(image);
      const auto clear = executor.logits(image);
      ASSERT_EQ(logits.size(), clear.size());
      EXPECT_GT(session.report().offline.bytes_up, session.report().online.bytes_up);
      EXPECT_GT(session.report().online.bytes_down, 0u);
    }
    session.finish();
  }
  server.join();
  EXPECT_EQ(answered, 3);
}

TEST(Session, RefusesAnotherPackage) {
  const package::Package package = make_server_package(test::small_network(1));
  package::PackageId other = package.id;
  other[0] ^= 1;
  const ServerModel server_model(package);
  const Model client_model(package.network, package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  std::thread server([&, channel = server_channel.get()] { serve_session(server_model, *channel); });
  try {
    ClientSession session(client_model, other, *client_channel);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::peer);
    EXPECT_NE(std::string(e.what()).find("another package"), std::string::npos) << e.what();
  }
  server.join();
}

TEST(Session, RefusesMorePreparationThanAllowed) {
  const package::Package package = make_server_package(test::small_network());
  const ServerModel server_model(package);
  const Model client_model(package.network, package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  ServerOptions options;
  options.max_prepared = 1;
  std::string refusal;
  std::thread server([&, channel = server_channel.get()] {
    try {
      serve_session(server_model, *channel, options);
    } catch (const Error& e) {
      refusal = e.what();
      channel->close();
    }
  });
  {
    ClientSession session(client_model, package.id, *client_channel);
    session.prepare();
    EXPECT_THROW(session.prepare(), Error);
  }
  server.join();
  EXPECT_NE(refusal.find("more than 1"), std::string::npos) << refusal;
}

}  // namespace
}  // namespace ap::protocol

// Networks with quadratic activations, run privately in this process.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/error.h"
#include "he/rlwe/polynomial.h"
#include "net/channel/channel.h"
#include "nn/execute/integer_executor.h"
#include "package/package.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/mixed_network.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

using test::packaged;

using Values = std::vector<std::vector<std::int32_t>>;

using test::mixed_network;
using test::quadratic;

std::vector<std::int32_t> random_image(const nn::QuantisedNetwork& network, Prng& prng) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(network.input_shape().size()));
  for (std::int32_t& v : image) v = static_cast<std::int32_t>(prng.next64() % 256) - 128;
  return image;
}

/// The reconstructed values of every node of private inferences, one session for all images.
std::vector<Values> run_private(const package::Package& package,
                                const std::vector<std::vector<std::int32_t>>& images,
                                Report* report = nullptr) {
  const package::Pair files = package::make_packages(package);
  const ServerModel server_model(package::parse(files.server, "server.apm"));
  const package::Package client = package::parse(files.client, "client.apm");
  const Model client_model(client.network, client.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  const std::size_t nodes = package.network.nodes.size();
  std::vector<Share> client_shares(nodes), server_shares(nodes);
  const auto keep = [](std::vector<Share>& to) {
    return [&to](int node, ShareView share) {
      to[static_cast<std::size_t>(node)].assign(share.begin(), share.end());
    };
  };
  ServerOptions server_options;
  server_options.observer = keep(server_shares);
  std::thread server([&] { serve_session(server_model, *server_channel, server_options); });
  ClientOptions client_options;
  client_options.observer = keep(client_shares);
  std::vector<Values> runs;
  {
    ClientSession session(client_model, client.id, *client_channel, client_options);
    for (const auto& image : images) {
      session.infer(image);
      Values values(nodes);
      values[0] = image;
      for (std::size_t i = 1; i < nodes; ++i) {
        const int bits = package.plan.modulus_bits[i];
        for (std::size_t k = 0; k < client_shares[i].size(); ++k) {
          const std::uint64_t sum = (client_shares[i][k] + server_shares[i][k]) & low_mask(bits);
          values[i].push_back(static_cast<std::int32_t>(ShareModulus::power_of_two(bits).to_signed(sum)));
        }
      }
      runs.push_back(std::move(values));
    }
    if (report) *report = session.report();
    session.finish();
  }
  server.join();
  return runs;
}

/// The result must be one that the argument rounded down or up gives, and its own truncation may lose as many
/// bits as are dropped.
void expect_declared_quadratic(const nn::QQuadratic& op, const plan::ActivationChoice& choice, std::int64_t x,
                               std::int64_t got) {
  const plan::Truncation& result = choice.truncation;
  bool found = false;
  const std::int64_t rounded = (x + (op.shift > 0 ? std::int64_t{1} << (op.shift - 1) : 0)) >> op.shift;
  const bool exact = choice.argument.dropped_bits() == 0;
  for (const std::int64_t t : {exact ? rounded : x >> op.shift, exact ? rounded : (x >> op.shift) + 1}) {
    const std::int64_t u = op.c0 + op.c1 * t + op.c2 * t * t + result.offset();
    const std::int64_t lost = (std::int64_t{1} << result.dropped_bits()) - 1;
    const auto clamped = [&](std::int64_t v) {
      return std::clamp(v >> op.post_shift, op.low, op.low + (std::int64_t{1} << op.bits) - 1);
    };
    found = found || (clamped(u - lost) <= got && got <= clamped(u));
  }
  EXPECT_TRUE(found) << "x " << x << " gave " << got;
}

TEST(QuadraticSession, EveryValueIsAsDeclared) {
  Prng prng(Seed{6});
  const nn::QuantisedNetwork network = mixed_network();
  const auto ranges = plan::exact_ranges(network);
  std::vector<double> error_std = plan::error_steps(network, ranges);
  for (double& t : error_std) t *= 0.1;
  for (const plan::Plan& plan :
       {plan::select_exact(network), plan::select_error_std(network, error_std, ranges)}) {
    const package::Package package = packaged(network, plan);
    std::vector<std::vector<std::int32_t>> images = {random_image(network, prng),
                                                     random_image(network, prng)};
    images.emplace_back(images[0].size(), 127);
    images.emplace_back(images[0].size(), -128);
    Report report;
    const std::vector<Values> runs = run_private(package, images, &report);
    for (const Values& values : runs) {
      for (const plan::ActivationChoice& choice : package.plan.activations) {
        const auto at = static_cast<std::size_t>(choice.node);
        const auto* op = std::get_if<nn::QQuadratic>(&network.nodes[at].op);
        if (!op) continue;
        const auto& input = values[static_cast<std::size_t>(network.nodes[at].inputs[0])];
        for (std::size_t k = 0; k < input.size(); ++k)
          expect_declared_quadratic(*op, choice, input[k], values[at][k]);
      }
    }
    std::vector<std::string> protocols;
    for (const LayerCost& layer : report.layers) {
      if (layer.op == "activation") protocols.push_back(layer.protocol);
    }
    ASSERT_EQ(protocols.size(), 3u);
    EXPECT_EQ(protocols[0], "beaver");
    EXPECT_NE(protocols[1], "beaver");
    EXPECT_EQ(protocols[2], "beaver");
  }
}

TEST(QuadraticSession, PolicyExactGivesTheClearLogits) {
  Prng prng(Seed{7});
  const nn::QuantisedNetwork network = mixed_network();
  plan::SelectOptions options;
  options.max_changes = 1e-4;
  const package::Package package = packaged(network, plan::select_exact(network, options));
  const auto image = random_image(network, prng);
  const Values clear = nn::run_integer(network, image);
  for (const Values& values : run_private(package, {image, image, image})) {
    for (const std::size_t activation : {std::size_t{2}, std::size_t{4}, std::size_t{6}})
      EXPECT_EQ(values[activation], clear[activation]);
  }
}

/// The simulator of errors makes those of private runs.
TEST(QuadraticSession, SimulatorDeviatesAlike) {
  Prng prng(Seed{8});
  const nn::QuantisedNetwork network = mixed_network();
  plan::SelectOptions options;
  options.guard_bits = 2;
  const package::Package package = packaged(network, plan::select_exact(network, options));
  const auto image = random_image(network, prng);
  const nn::IntegerExecutor executor(network);
  const noise::ErrorModel model = plan::error_model(network, package.plan);
  struct Moments {
    double count = 0, sum = 0, squares = 0;
    double mean() const { return sum / count; }
    double variance() const { return squares / count - mean() * mean(); }
  };
  std::vector<Moments> real(network.nodes.size()), simulated(network.nodes.size());
  const auto add = [&](const Values& values, std::vector<Moments>& moments) {
    for (const std::size_t i : {std::size_t{2}, std::size_t{6}}) {
      const std::vector<std::span<const std::int32_t>> input = {values[i - 1]};
      const auto expected = executor.evaluate(static_cast<int>(i), input);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const double d = values[i][k] - expected[k];
        ++moments[i].count, moments[i].sum += d, moments[i].squares += d * d;
      }
    }
  };
  for (const Values& values : run_private(package, std::vector(150, image))) add(values, real);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    noise::Injection injection(model, seed, 0);
    add(executor.run(image, injection.hooks()), simulated);
  }
  for (const std::size_t i : {std::size_t{2}, std::size_t{6}}) {
    EXPECT_GT(real[i].variance(), 0.01) << "there is something to compare";
    // Private runs draw afresh each time: six standard deviations of this ratio, measured, are 0.2.
    EXPECT_NEAR(real[i].variance() / simulated[i].variance(), 1, 0.25) << i;
    EXPECT_NEAR(real[i].mean(), simulated[i].mean(),
                6 * std::sqrt(real[i].variance() / real[i].count) + 0.01);
  }
}

/// A client that asks for another protocol than the layer's kind has.
TEST(QuadraticSession, WrongProtocolsAreRefused) {
  const package::Package package = packaged(mixed_network(), plan::select_exact(mixed_network()));
  const ServerModel server_model(package);
  for (const Bytes& protocols : {Bytes{1, 1, 2}, Bytes{2, 2, 2}, Bytes{2, 0, 3}}) {
    auto [client, server_end] = net::make_local_channels();
    std::string message;
    std::thread server([&, &channel = server_end] {
      try {
        serve_session(server_model, *channel);
      } catch (const Error& e) {
        message = e.what();
      }
      channel->close();
    });
    ByteWriter hello;
    hello.u16(kProtocolVersion);
    hello.raw(package.id);
    client->send(kHello, hello.bytes());
    client->receive(kWelcome, 0, 1000);
    client->send(kNonce, Bytes(32));
    client->receive_exactly(kNonce, 32);
    client->send(kCommand, Bytes{static_cast<std::uint8_t>(Command::prepare)});
    client->send(kProtocols, protocols);
    client->close();
    server.join();
    EXPECT_NE(message.find("protocol"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace ap::protocol

// The simulator of errors against real private runs: same deviations at every layer, same spread of the
// logits.
#include "analysis/simulation/simulate.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <thread>

#include "net/channel/channel.h"
#include "planner/policies/budget.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/server.h"
#include "protocol/hybrid/share.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

using Values = std::vector<std::vector<std::int32_t>>;

/// Deviations of one node from what its actual inputs give, over runs.
struct Spread {
  double count = 0, sum = 0, squares = 0;
  std::array<double, 3> near{};  ///< how often -1, 0 and 1

  void add(double d) {
    ++count, sum += d, squares += d * d;
    if (std::abs(d) <= 1) ++near[static_cast<std::size_t>(d + 1)];
  }
  double mean() const { return sum / count; }
  double variance() const { return squares / count - mean() * mean(); }
};

void add_deviations(const nn::QuantisedNetwork& network, const plan::Plan& plan, const Values& values,
                    std::vector<Spread>& spreads) {
  const nn::IntegerExecutor executor(network);
  for (std::size_t i = 1; i < values.size(); ++i) {
    std::vector<std::span<const std::int32_t>> inputs;
    for (const int input : network.nodes[i].inputs)
      inputs.emplace_back(values[static_cast<std::size_t>(input)]);
    const std::vector<std::int32_t> expected = executor.evaluate(static_cast<int>(i), inputs);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const auto difference = static_cast<std::uint64_t>(std::int64_t{values[i][k]} - expected[k]);
      const int bits = plan.modulus_bits[i];
      spreads[i].add(
          static_cast<double>(ShareModulus::power_of_two(bits).to_signed(difference & low_mask(bits))));
    }
  }
}

class PrivateRuns {
 public:
  PrivateRuns(const package::Package& package, std::span<const std::int32_t> image)
      : package_(package), server_(package), client_(package.network, package.plan), image_(image) {}

  /// The reconstructed values of every node in one private inference.
  Values run() const {
    auto [client_channel, server_channel] = net::make_local_channels();
    const std::size_t nodes = package_.network.nodes.size();
    std::vector<Share> client_shares(nodes), server_shares(nodes);
    const auto keep = [](std::vector<Share>& to) {
      return [&to](int node, ShareView share) {
        to[static_cast<std::size_t>(node)].assign(share.begin(), share.end());
      };
    };
    ServerOptions server_options;
    server_options.observer = keep(server_shares);
    std::thread server([&] { serve_session(server_, *server_channel, server_options); });
    {
      ClientOptions client_options;
      client_options.observer = keep(client_shares);
      ClientSession session(client_, package_.id, *client_channel, client_options);
      session.infer(image_);
      session.finish();
    }
    server.join();
    Values values(nodes);
    values[0].assign(image_.begin(), image_.end());
    for (std::size_t i = 1; i < nodes; ++i) {
      const int bits = package_.plan.modulus_bits[i];
      for (std::size_t k = 0; k < client_shares[i].size(); ++k) {
        values[i].push_back(static_cast<std::int32_t>(ShareModulus::power_of_two(bits).to_signed(
            (client_shares[i][k] + server_shares[i][k]) & low_mask(bits))));
      }
    }
    return values;
  }

 private:
  const package::Package& package_;
  ServerModel server_;
  Model client_;
  std::span<const std::int32_t> image_;
};

TEST(Simulation, DeviatesAsPrivateRunsDo) {
  package::Package package;
  package.role = Party::server;
  package.network = test::small_network();
  const nn::QuantisedNetwork& network = package.network;
  const auto ranges = plan::exact_ranges(network);
  std::vector<double> error_std = plan::error_steps(network, ranges);
  for (double& t : error_std) t *= 0.25;
  package.plan = plan::select_error_std(network, error_std, ranges);
  package.normalization = "scale=255 mean=0 std=1";
  package.id = package::make_packages(package).id;

  Prng prng(Seed{11});
  std::vector<std::int32_t> image(static_cast<std::size_t>(network.input_shape().size()));
  for (std::int32_t& v : image) v = static_cast<std::int32_t>(prng.next64() % 256) - 128;
  const auto clear = nn::integer_logits(network, image);
  const auto logit_error = [&](const Values& values) {
    double squares = 0;
    for (std::size_t k = 0; k < clear.size(); ++k) squares += std::pow(values.back()[k] - clear[k], 2);
    return squares / static_cast<double>(clear.size());
  };

  const std::size_t nodes = network.nodes.size();
  std::vector<Spread> in_private(nodes), simulated(nodes);
  double private_error = 0, simulated_error = 0;
  const int private_runs = 40, simulated_runs = 400;
  const PrivateRuns runs(package, image);
  for (int i = 0; i < private_runs; ++i) {
    const Values values = runs.run();
    add_deviations(network, package.plan, values, in_private);
    private_error += logit_error(values) / private_runs;
  }
  const nn::IntegerExecutor executor(network);
  const noise::ErrorModel model = plan::error_model(network, package.plan);
  for (int i = 0; i < simulated_runs; ++i) {
    noise::Injection injection(model, static_cast<std::uint64_t>(i), 0);
    const Values values = executor.run(image, injection.hooks());
    add_deviations(network, package.plan, values, simulated);
    simulated_error += logit_error(values) / simulated_runs;
  }
  for (std::size_t i = 1; i < nodes; ++i) {
    const nn::QNode& node = network.nodes[i];
    const Spread &p = in_private[i], &s = simulated[i];
    if (std::holds_alternative<nn::QLinear>(node.op)) {
      EXPECT_GT(s.variance(), 1) << node.name << ": the errors are large enough to compare";
      EXPECT_NEAR(p.variance() / s.variance(), 1, 0.03 + 6 * std::sqrt(2 / p.count)) << node.name;
      EXPECT_NEAR(p.mean(), 0, 6 * std::sqrt(p.variance() / p.count)) << node.name;
      EXPECT_NEAR(s.mean(), 0, 6 * std::sqrt(s.variance() / s.count)) << node.name;
    } else if (std::holds_alternative<nn::QActivation>(node.op)) {
      for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(p.near[k] / p.count, s.near[k] / s.count, 0.01 + 3 / std::sqrt(p.count))
            << node.name << ' ' << k;
      }
    } else {
      EXPECT_EQ(p.squares, 0) << node.name;
      EXPECT_EQ(s.squares, 0) << node.name;
    }
  }
  EXPECT_GT(simulated_error, 1);
  EXPECT_NEAR(private_error / simulated_error, 1, 0.5);
}

}  // namespace
}  // namespace ap::protocol

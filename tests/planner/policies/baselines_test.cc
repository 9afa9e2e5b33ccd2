#include "planner/policies/baselines.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "analysis/simulation/simulate.h"
#include "base/error.h"
#include "plan/primes.h"
#include "planner/spaces/assemble.h"
#include "security/limits.h"
#include "tests/planner/policies/baseline_networks.h"

namespace ap::plan {
namespace {

using test::baseline_network;

/// What every plan of a baseline keeps.
void expect_sound(const Plan& plan, const nn::QuantisedNetwork& network) {
  validate(plan, network);
  EXPECT_GE(plan.min_lambda_bits, security::kTargetBits);
  ASSERT_EQ(plan.primes.size(), network.nodes.size());
  for (const bfv::BatchParameters& group : plan.batch_groups) {
    EXPECT_LE(group.log2_qp(), security::max_log2_q(group.n));
    for (const std::uint64_t prime : group.data_primes) EXPECT_LT(prime, std::uint64_t{1} << 50);
  }
  for (const ActivationChoice& c : plan.activations) {
    EXPECT_EQ(c.protocol, "gc");
    // No value that an activation can read wraps, rounded and less its lower bound.
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(c.node)];
    const auto& op = std::get<nn::QActivation>(node.op);
    const nn::QNode& input = network.nodes[static_cast<std::size_t>(node.inputs.front())];
    const auto half =
        static_cast<std::int64_t>(plan.primes[static_cast<std::size_t>(node.inputs.front())] / 2);
    const std::int64_t added = c.truncation.offset() - op.low * (std::int64_t{1} << op.shift);
    EXPECT_LE(input.high + std::max<std::int64_t>(added, 0), half);
    EXPECT_LE(-input.low, half);
  }
  EXPECT_LE(std::max(-network.nodes.back().low, network.nodes.back().high),
            static_cast<std::int64_t>(plan.primes.back() / 2));
}

class Baselines : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string missing;
    network_ = baseline_network(GetParam(), missing);
    if (network_ == nullptr) GTEST_SKIP() << "no file " << missing;
  }
  const nn::QuantisedNetwork* network_ = nullptr;
};

TEST_P(Baselines, DelphiIsOneSetThatDecryptsAndStatesItsDeviations) {
  const Plan plan = select_delphi(*network_);
  expect_sound(plan, *network_);
  ASSERT_EQ(plan.batch_groups.size(), 1U);
  const bfv::BatchParameters& set = plan.batch_groups[0];
  EXPECT_EQ(set.n, 8192U);
  EXPECT_NEAR(set.log2_q(), 180, 0.1);
  EXPECT_LE(plan.failure_log2, -40);
  const std::string notes = testing::PrintToString(plan.notes);
  if (std::bit_width(set.p()) != 22) {
    EXPECT_NE(notes.find("instead of 22"), std::string::npos) << notes;
  }
  EXPECT_NE(notes.find("special prime"), std::string::npos);
  for (const LinearChoice& c : plan.linears) {
    EXPECT_EQ(c.simd()->conv, linear::SimdConvMethod::shifted_copies);
    EXPECT_EQ(c.simd()->statistical_bits, 40);
  }
}

TEST_P(Baselines, DarlIsOneSetFromTheNoiseOfTheNetwork) {
  const Plan plan = select_darl(*network_);
  expect_sound(plan, *network_);
  ASSERT_EQ(plan.batch_groups.size(), 1U);
  EXPECT_NEAR(plan.batch_groups[0].log2_q(), 165, 0.1);
  EXPECT_LE(plan.failure_log2, -40);
  EXPECT_FALSE(plan.notes.empty());
  // The smallest prime that holds every value: the next smaller one does not.
  std::int64_t bound = 0;
  for (const PrimeComponent& c : prime_components(*network_, exact_ranges(*network_))) {
    bound = std::max(bound, c.bound);
  }
  EXPECT_EQ(plan.batch_groups[0].p(), smallest_prime(bound, 8192));

  BaselineOptions tight;
  tight.tight = true;
  const Plan smaller = select_darl(*network_, tight);
  expect_sound(smaller, *network_);
  EXPECT_LE(smaller.failure_log2, -40);
  EXPECT_LT(smaller.batch_groups[0].log2_q(), 150);
}

TEST_P(Baselines, PublishedKeepsEveryRate) {
  const std::size_t layers = linear_nodes(*network_).size();
  std::vector<double> der(layers);
  for (std::size_t i = 0; i < layers; ++i) der[i] = -5.0 - static_cast<double>(i % 11);
  const Plan plan = select_autoprivacy(*network_, der);
  expect_sound(plan, *network_);
  const noise::ErrorModel model = error_model(*network_, plan);
  ASSERT_EQ(model.replies.size(), layers);
  for (std::size_t i = 0; i < layers; ++i) {
    EXPECT_LE(std::log2(model.replies[i].rate), der[i]) << i;
    // The stored rate is that of all replies of the layer.
    const double all = model.replies[i].rate * static_cast<double>(model.replies[i].replies.size());
    EXPECT_NEAR(plan.linears[i].failure_log2, std::max(std::log2(all), -1000.0), 15) << i;
  }
  EXPECT_THROW(select_autoprivacy(*network_, std::vector<double>(layers + 1, -7)), Error);
  EXPECT_THROW(select_autoprivacy(*network_, std::vector<double>(layers, 0)), Error);
}

INSTANTIATE_TEST_SUITE_P(Networks, Baselines,
                         testing::Values("minionn_cifar10_relu6", "resnet32_cifar100_delphi_relu6"));

// Nothing changes while replies decrypt; when they do not, the image is lost.
TEST(BaselineSimulation, GarbageCostsTheImage) {
  std::string missing;
  const nn::QuantisedNetwork* network = baseline_network("minionn_cifar10_relu6", missing);
  if (network == nullptr) GTEST_SKIP() << "no file " << missing;
  const Plan plan = select_delphi(*network);
  std::vector<std::int32_t> images;
  Prng prng(Seed{6});
  const nn::QNode& input = network->nodes.front();
  const auto span = static_cast<std::uint64_t>(input.high - input.low + 1);
  for (int i = 0; i < 8 * input.shape.size(); ++i) {
    images.push_back(static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % span)));
  }
  const Simulation exact = simulate(*network, plan, images, {});
  EXPECT_EQ(exact.agreement_mean, 1);
  EXPECT_EQ(exact.wrapped, 0);
  noise::ErrorModel model = error_model(*network, plan);
  for (noise::DecryptionFailures& layer : model.replies) layer.rate = 0.5;
  const Simulation garbage = simulate(*network, model, images, {});
  EXPECT_LT(garbage.agreement_mean, 0.7);
}

TEST(BaselineRule, CostsFourTimesTheDegreeAndNothingElse) {
  std::string missing;
  const nn::QuantisedNetwork* network = baseline_network("minionn_cifar10_relu6", missing);
  if (network == nullptr) GTEST_SKIP() << "no file " << missing;
  BaselineOptions options;
  options.flooding_by_rule = true;
  const Plan plan = select_darl(*network, options);
  expect_sound(plan, *network);
  EXPECT_EQ(plan.batch_groups[0].n, 32768U);
  EXPECT_NEAR(plan.batch_groups[0].log2_q(), 495, 0.2);
  EXPECT_LE(plan.failure_log2, -40);
  // All of the room is flooding.
  int flood = 0;
  for (const LinearChoice& c : plan.linears) flood = std::max(flood, c.simd()->flood_bits);
  EXPECT_GT(flood, plan.batch_groups[0].log2_q() - plan.batch_groups[0].log2_p() - 5);
}

// Components of a residual block: the sum ties both branches to one prime, the activations cut.
TEST(PrimeComponents, CutAtActivationsAlone) {
  std::string missing;
  const nn::QuantisedNetwork* network = baseline_network("resnet32_cifar100_delphi_relu6", missing);
  if (network == nullptr) GTEST_SKIP() << "no file " << missing;
  const auto components = prime_components(*network, exact_ranges(*network));
  std::vector<int> of(network->nodes.size(), -1);
  for (std::size_t k = 0; k < components.size(); ++k) {
    for (const int node : components[k].nodes) {
      EXPECT_EQ(of[static_cast<std::size_t>(node)], -1);
      of[static_cast<std::size_t>(node)] = static_cast<int>(k);
    }
  }
  std::size_t linears = 0;
  for (const PrimeComponent& c : components) linears += c.linears.size();
  EXPECT_EQ(linears, linear_nodes(*network).size());
  for (std::size_t i = 1; i < network->nodes.size(); ++i) {
    const nn::QNode& node = network->nodes[i];
    if (std::holds_alternative<nn::QActivation>(node.op)) continue;
    for (const int input : node.inputs) EXPECT_EQ(of[i], of[static_cast<std::size_t>(input)]);
  }
  EXPECT_GT(components.size(), 10U);
}

TEST(PrimeComponents, SmallestPrimeHoldsTheBound) {
  for (const std::int64_t bound : {1000, 6144, 6145, 1 << 20, 5'000'000}) {
    for (const std::uint32_t n : {2048U, 8192U, 32768U}) {
      const std::uint64_t p = smallest_prime(bound, n);
      EXPECT_EQ(p % (2 * n), 1U);
      EXPECT_GT(p, 2 * static_cast<std::uint64_t>(bound));
    }
  }
  EXPECT_EQ(smallest_prime(6144, 2048), 12289U);
  EXPECT_EQ(smallest_prime(6145, 2048), 40961U);
  EXPECT_THROW(smallest_prime(std::int64_t{1} << 40, 8192), Error);
}

}  // namespace
}  // namespace ap::plan

// The noise that a plan predicts for each layer of a real network, against real ciphertexts of the real
// kernels in the packing, ring and reply format of that plan.
#include <gtest/gtest.h>

#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "tests/analysis/noise/real_layer.h"
#include "tests/planner/resnet20.h"

namespace ap::plan {
namespace {

void expect_predicted_noise(const nn::QuantisedNetwork& network, const Plan& plan) {
  for (const LinearChoice& c : plan.linears) {
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(c.node)];
    const auto& op = std::get<nn::QLinear>(node.op);
    const bfv::Parameters& group = plan.groups[static_cast<std::size_t>(c.group)];
    const linear::Layout layout(linear::geometry_of(op, node.shape.c), c.coefficient()->packing, group.n);
    const noise::test::RealLayer layer(layout, op.weights, group, c.coefficient()->c0_dropped_bits,
                                       c.coefficient()->c1_dropped_bits, c.noise_step);
    double squares = 0, samples = 0;
    for (std::uint64_t seed = 0; samples < 50'000; ++seed) {
      for (const double e : layer.errors(seed)) squares += e * e, ++samples;
    }
    EXPECT_NEAR(squares / samples, 1, 0.05) << plan.policy << ' ' << node.name << " of " << samples;
    // error_std bounds that of the noisiest reply, from a norm rounded up to a quarter octave.
    const std::vector<float> error_stds =
        noise::output_error_stds(layout, op.weights, c.coefficient()->c0_dropped_bits,
                                 c.coefficient()->c1_dropped_bits, c.noise_step, group.log2_q(), c.log2_p);
    const double largest = *std::max_element(error_stds.begin(), error_stds.end());
    EXPECT_LE(largest, c.error_std * 1.00001) << node.name;
    EXPECT_GE(largest, c.error_std * std::exp2(-0.2501)) << node.name;
  }
}

TEST(MeasuredNoise, IsWithinFivePercentForEveryLayerOfResnet20) {
  std::string missing;
  const test::Resnet20* resnet = test::resnet20(missing);
  if (!resnet) GTEST_SKIP() << "missing " << missing;
  expect_predicted_noise(resnet->network, select_exact(resnet->network));
  const std::vector<nn::Interval> ranges = exact_ranges(resnet->network);
  std::vector<double> error_std = error_steps(resnet->network, ranges);
  for (double& t : error_std) t *= 0.25;
  // Without noise of the server's own, so that what comes from the weights shows.
  BudgetOptions bare;
  bare.privacy_inferences = 0;
  expect_predicted_noise(resnet->network, select_error_std(resnet->network, error_std, ranges, bare));
}

}  // namespace
}  // namespace ap::plan

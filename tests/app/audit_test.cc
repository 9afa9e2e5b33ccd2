#include "app/audit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

TEST(Audit, CompiledPackagePasses) {
  const Compiled compiled = compile_small();
  const Audit report = audit(compiled.package);
  EXPECT_NO_THROW(require_security(report));
  EXPECT_GE(report.min_lambda_bits, security::kTargetBits);
  EXPECT_EQ(report.circuit_privacy.method, "approximate re-sharing with Gaussian-like noise");
  EXPECT_EQ(report.circuit_privacy.inferences, noise::kDefaultInferences);
  EXPECT_GT(report.circuit_privacy.snr, 0.005);
  EXPECT_LE(report.circuit_privacy.snr, noise::kWeightSnr * 1.000001);
  EXPECT_NEAR(report.circuit_privacy.bound_bits_per_weight, report.circuit_privacy.snr / (2 * std::log(2.0)),
              1e-9);
  EXPECT_EQ(report.flood_bits, 0);
  EXPECT_LE(report.failure_log2, report.target_failure_log2);
  EXPECT_GE(report.assumptions.size(), 5u);
  // Every linear layer is in exactly one group.
  std::vector<std::string> layers;
  for (const GroupAudit& group : report.groups)
    layers.insert(layers.end(), group.layers.begin(), group.layers.end());
  std::vector<std::string> expected;
  for (const nn::QNode& node : compiled.package.network.nodes) {
    if (std::holds_alternative<nn::QLinear>(node.op)) expected.push_back(node.name);
  }
  std::ranges::sort(layers);
  std::ranges::sort(expected);
  EXPECT_EQ(layers, expected);
}

TEST(Audit, DoesNotBelieveThePackage) {
  package::Package package = compile_small().package;
  package.plan.min_lambda_bits = 300;
  package.plan.groups[0] = {1024, bfv::ntt_primes(50, 1024, 1)};
  const Audit report = audit(package);
  EXPECT_LT(report.min_lambda_bits, 100);
  try {
    require_security(report);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::security);
    const std::string text = error.what();
    EXPECT_NE(text.find("N = 1024"), std::string::npos) << text;
    EXPECT_NE(text.find("128"), std::string::npos) << text;
    EXPECT_NE(text.find(report.groups[0].layers[0]), std::string::npos) << text;
  }
}

/// The compiled network's plan, packed for SIMD under one group of these special primes.
package::Package packed_by_slots(const std::vector<std::uint64_t>& special) {
  package::Package package = compile_small().package;
  constexpr std::uint32_t n = 4096;
  plan::Plan& plan = package.plan;
  const std::uint64_t prime = bfv::batch_primes(26, n, 1)[0];
  plan.groups.clear();
  plan.batch_groups = {{{n, bfv::batch_primes(35, n, 2), special, 0}, {prime}, false}};
  for (plan::LinearChoice& choice : plan.linears) {
    choice.group = 0;
    choice.packing = plan::SimdChoice();
    choice.simd()->flood_bits = 41 + choice.node;
  }
  return package;
}

// Rotation keys are published modulo q P, so q P is what counts.
TEST(Audit, CountsTheSpecialPrimesOfRotationKeys) {
  const package::Package without = packed_by_slots({});
  const Audit report = audit(without);
  ASSERT_EQ(report.batch_groups.size(), 1u);
  EXPECT_TRUE(report.groups.empty());
  EXPECT_NEAR(report.batch_groups[0].log2_q, 70, 0.1);
  EXPECT_EQ(report.circuit_privacy.method, "flooding");
  EXPECT_EQ(report.flood_bits, 41 + without.plan.linears.back().node);
  EXPECT_EQ(report.batch_groups[0].layers.size(), without.plan.linears.size());
  EXPECT_EQ(&group_of(report, without.plan.linears[0]), &report.batch_groups[0]);
  EXPECT_NO_THROW(require_security(report));
  const Audit with = audit(packed_by_slots(bfv::batch_primes(50, 4096, 1)));
  EXPECT_NEAR(with.batch_groups[0].log2_q, 120, 0.1);
  try {
    require_security(with);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::security);
    EXPECT_NE(std::string(error.what()).find("N = 4096"), std::string::npos) << error.what();
  }
}

TEST(Audit, NotANumberIsRefused) {
  Audit report;
  report.groups.emplace_back();
  report.groups[0].estimate.lambda_min = std::nan("");
  EXPECT_THROW(require_security(report), Error);
}

}  // namespace
}  // namespace ap::app

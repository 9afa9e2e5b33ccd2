#include "service/audit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "service/small_network.h"

namespace ap::service {
namespace {

TEST(Audit, CompiledPackagePasses) {
  const Compiled compiled = compile_small();
  const Audit report = audit(compiled.package);
  EXPECT_NO_THROW(require_security(report));
  EXPECT_GE(report.min_lambda_bits, security::kTargetBits);
  EXPECT_EQ(report.circuit_privacy, "approximate re-sharing");
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

TEST(Audit, NotANumberIsRefused) {
  Audit report;
  report.groups.emplace_back();
  report.groups[0].estimate.lambda_min = std::nan("");
  EXPECT_THROW(require_security(report), Error);
}

}  // namespace
}  // namespace ap::service

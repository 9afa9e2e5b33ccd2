#include "report/read_package.h"

#include <gtest/gtest.h>

#include "tests/package/small_package.h"

namespace ap::report {
namespace {

TEST(ReadPackage, ShowsThePlan) {
  const package::Package package = package::small_package();
  const PlanView view = view_of(package, "server.apm", "net");
  EXPECT_EQ(view.network, "small");
  EXPECT_EQ(view.policy, "exact");
  EXPECT_EQ(view.layers.size(), package.plan.linears.size() + package.plan.activations.size());
  const std::vector<const Layer*> linears = view.linears();
  ASSERT_EQ(linears.size(), package.plan.linears.size());
  EXPECT_EQ(linears[0]->name, "conv");
  EXPECT_EQ(*linears[0]->log2_p, package.plan.linears[0].log2_p);
  EXPECT_EQ(*linears[0]->n, package.plan.groups[0].n);
  EXPECT_NEAR(*linears[0]->log2_q, package.plan.groups[0].log2_q(), 1e-9);
  EXPECT_TRUE(view.min_lambda_bits);
}

}  // namespace
}  // namespace ap::report

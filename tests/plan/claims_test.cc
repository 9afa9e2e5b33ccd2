#include "plan/claims.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::plan {
namespace {

std::string refusal(const Plan& plan, const nn::QuantisedNetwork& network) {
  try {
    check_claims(plan, network);
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
}

class Claims : public testing::Test {
 protected:
  const nn::QuantisedNetwork server_ = protocol::test::small_network();
  const nn::QuantisedNetwork client_ = nn::strip_weights(server_);
  const Plan exact_ = select_exact(server_);
};

TEST_F(Claims, WhatTheSelectionsSayHolds) {
  EXPECT_EQ(refusal(exact_, server_), "");
  EXPECT_EQ(refusal(exact_, client_), "");
  const std::vector<double> error_std = {32, 128, 64, 64, 25};
  const Plan budget = select_error_std(server_, error_std, exact_ranges(server_));
  EXPECT_EQ(refusal(budget, server_), "");
  EXPECT_EQ(refusal(budget, client_), "");
  EXPECT_TRUE(claims_are_checked(exact_, server_));
  EXPECT_FALSE(claims_are_checked(exact_, client_));
}

TEST_F(Claims, MoreThanNecessaryMayBeSaid) {
  Plan plan = exact_;
  plan.failure_log2 = 0;
  plan.linears[0].failure_log2 = 0;
  plan.linears[1].error_std *= 2;
  plan.linears[1].failure_log2 = 0;
  EXPECT_EQ(refusal(plan, server_), "");
}

TEST_F(Claims, APlanThatFailsLessThanItsLayers) {
  Plan plan = exact_;
  plan.failure_log2 -= 1;
  for (const auto* network : {&server_, &client_}) {
    EXPECT_NE(refusal(plan, *network).find("an inference fails"), std::string::npos)
        << refusal(plan, *network);
  }
}

TEST_F(Claims, ALayerThatFailsLessThanItsError) {
  for (std::size_t i = 0; i < exact_.linears.size(); ++i) {
    Plan plan = exact_;
    plan.linears[i].failure_log2 *= 1.01;
    for (const auto* network : {&server_, &client_}) {
      EXPECT_NE(refusal(plan, *network).find("that it fails"), std::string::npos) << i;
    }
  }
}

TEST_F(Claims, AnErrorBelowWhatFreshNoiseAloneCauses) {
  for (std::size_t i = 0; i < exact_.linears.size(); ++i) {
    Plan plan = exact_;
    plan.linears[i].error_std /= 1000;
    for (const auto* network : {&server_, &client_}) {
      EXPECT_NE(refusal(plan, *network).find("its parameters cause"), std::string::npos) << i;
    }
  }
}

// What the client can check is less: it does not know the weights.
TEST_F(Claims, AnErrorBelowWhatTheWeightsCauseIsFoundOutByWhoHasThem) {
  Plan plan = select_exact(server_, {.privacy_inferences = 0});
  LinearChoice& layer = plan.linears[0];
  layer.coefficient()->c0_dropped_bits = layer.coefficient()->c1_dropped_bits = 0;
  layer.failure_log2 = plan.failure_log2 = 0;
  ASSERT_EQ(refusal(plan, server_), "");
  double least = layer.error_std;
  for (; refusal(plan, client_).empty(); layer.error_std *= 0.97) least = layer.error_std;
  layer.error_std = least;
  EXPECT_EQ(refusal(plan, client_), "");
  EXPECT_NE(refusal(plan, server_).find("its parameters cause"), std::string::npos) << refusal(plan, server_);
}

}  // namespace
}  // namespace ap::plan

#include "app/policies.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ap::app {
namespace {

std::string refusal_of(const std::string& name) {
  try {
    standard_policies().find(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  return {};
}

TEST(Policies, AreFoundByName) {
  const Policies policies = standard_policies();
  EXPECT_EQ(policies.names(), "exact, budget, ddpg, dp, greedy, random, delphi, darl, autoprivacy");
  for (const Policy& policy : policies.all()) {
    EXPECT_EQ(&policies.find(policy.name), &policy);
    EXPECT_FALSE(policy.summary.empty());
  }
  EXPECT_EQ(refusal_of("best"), "there is no policy \"best\"; this version offers: " + policies.names());
  EXPECT_EQ(refusal_of("published"), "policy published is called autoprivacy now; use --policy autoprivacy");
}

/// The policies that accept these options.
std::string accepting(const CompileOptions& options) {
  const Policies policies = standard_policies();
  std::string names;
  for (const Policy& policy : policies.all()) {
    const std::vector<std::string> refusals = policies.refusals(policy, options);
    if (refusals.empty()) names += (names.empty() ? "" : " ") + policy.name;
    for (const std::string& sentence : refusals) EXPECT_NE(sentence.find(policy.name), std::string::npos);
  }
  return names;
}

TEST(Policies, AcceptTheirOwnOptionsAndNoOthers) {
  CompileOptions options;
  EXPECT_EQ(accepting(options), "exact budget ddpg dp greedy random delphi darl autoprivacy");
  options.strict = true;
  EXPECT_EQ(accepting(options), "exact delphi darl");
  options.strict = false;
  options.flooding_by_rule = true;
  EXPECT_EQ(accepting(options), "darl");
  options.flooding_by_rule = false;
  options.budget = "der";
  EXPECT_EQ(accepting(options), "ddpg dp greedy random");
  // What shares modulo primes is garbled.
  options.activation = "ot";
  EXPECT_EQ(accepting(options), "");
  options.budget = "error-std";
  EXPECT_EQ(accepting(options), "exact budget ddpg dp greedy random");
}

TEST(Policies, SayTheOptionTheirOwnersAndTheirOwnName) {
  const Policies policies = standard_policies();
  CompileOptions options;
  options.flooding_by_rule = true;
  EXPECT_EQ(policies.refusals(policies.find("exact"), options),
            (std::vector<std::string>{"--flooding-by-rule is for policy darl; policy is exact"}));
  options = {};
  options.der_log2 = 0;
  EXPECT_EQ(policies.refusals(policies.find("autoprivacy"), options),
            (std::vector<std::string>{
                "policy autoprivacy: a decryption-error rate of 2^0 is out of range; give --der -40 to -1"}));
}

}  // namespace
}  // namespace ap::app

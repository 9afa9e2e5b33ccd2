#include "app/log_budget.h"

#include <gtest/gtest.h>

namespace ap::app {
namespace {

using namespace std::chrono_literals;

TEST(LogBudget, AnAddressHasABurstAndThenALineNowAndThen) {
  LogBudget budget;
  const auto start = LogBudget::Clock::now();
  int lines = 0;
  for (int i = 0; i < 1000; ++i) lines += budget.allows("192.0.2.1", start);
  EXPECT_EQ(lines, LogBudget::kBurst);
  EXPECT_TRUE(budget.allows("192.0.2.2", start)) << "others have their own";
  EXPECT_FALSE(budget.allows("192.0.2.1", start + 2s));
  EXPECT_TRUE(budget.allows("192.0.2.1", start + 4s));
  EXPECT_FALSE(budget.allows("192.0.2.1", start + 4s));
}

TEST(LogBudget, WhatIsLeftOutIsCountedAndSaidOnce) {
  LogBudget budget;
  const auto start = LogBudget::Clock::now();
  for (int i = 0; i < 120; ++i) budget.allows("192.0.2.1", start);
  budget.allows("192.0.2.2", start);
  EXPECT_TRUE(budget.summaries(start + 30s).empty());
  const auto said = budget.summaries(start + 61s);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(said[0].starts_with("100 more lines about 192.0.2.1 were left out in the last 61 s"))
      << said[0];
  EXPECT_TRUE(budget.summaries(start + 122s).empty());
}

TEST(LogBudget, ItsMemoryIsBounded) {
  LogBudget budget;
  const auto start = LogBudget::Clock::now();
  int lines = 0;
  const int addresses = static_cast<int>(LogBudget::kMaxAddresses) + 5000;
  for (int i = 0; i < addresses; ++i) lines += budget.allows("client " + std::to_string(i), start);
  EXPECT_EQ(lines, static_cast<int>(LogBudget::kMaxAddresses) + LogBudget::kBurst)
      << "the rest share a bucket";
  // Whoever was quiet is forgotten, so that others get buckets of their own again.
  budget.summaries(start + 120s);
  EXPECT_TRUE(budget.allows("client 9999", start + 120s));
}

}  // namespace
}  // namespace ap::app

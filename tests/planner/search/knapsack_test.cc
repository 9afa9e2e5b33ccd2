#include "planner/search/knapsack.h"

#include <gtest/gtest.h>

#include <cmath>

#include "random/prng.h"

namespace ap::search {
namespace {

double uniform(Prng& prng) { return static_cast<double>(prng.next64() >> 11) * 0x1p-53; }

std::vector<std::vector<Item>> random_lists(Prng& prng, std::size_t count, std::size_t items) {
  std::vector<std::vector<Item>> lists(count);
  for (auto& list : lists) {
    for (std::size_t i = 0; i < items; ++i) list.push_back({uniform(prng), std::exp(6 * uniform(prng))});
  }
  return lists;
}

Item sum_of(const std::vector<std::vector<Item>>& lists, const std::vector<int>& choice) {
  Item sum;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    sum.seconds += lists[i][static_cast<std::size_t>(choice[i])].seconds;
    sum.damage += lists[i][static_cast<std::size_t>(choice[i])].damage;
  }
  return sum;
}

/// Calls visit(sum) for every choice.
template <typename Visit>
void for_every_choice(const std::vector<std::vector<Item>>& lists, Visit visit) {
  std::vector<int> choice(lists.size(), 0);
  for (;;) {
    visit(sum_of(lists, choice));
    std::size_t i = 0;
    while (i < lists.size() && ++choice[i] == static_cast<int>(lists[i].size())) choice[i++] = 0;
    if (i == lists.size()) return;
  }
}

TEST(Knapsack, EqualsBruteForce) {
  Prng prng(Seed{1});
  for (int round = 0; round < 20; ++round) {
    const auto lists = random_lists(prng, 5, 4);
    const Knapsack knapsack(lists);
    for (int k = 0; k < 20; ++k) {
      const double damage = 1500 * uniform(prng), seconds = 5 * uniform(prng);
      double fastest = 1e9, least = 1e9;
      for_every_choice(lists, [&](const Item& s) {
        if (s.damage <= damage) fastest = std::min(fastest, s.seconds);
        if (s.seconds <= seconds) least = std::min(least, s.damage);
      });
      if (fastest < 1e9) {
        EXPECT_NEAR(knapsack.seconds(knapsack.fastest(damage)), fastest, 1e-9);
      }
      const std::size_t found = knapsack.least_damage(seconds);
      ASSERT_EQ(found < knapsack.size(), least < 1e9);
      if (least < 1e9) {
        EXPECT_NEAR(knapsack.damage(found), least, 1e-9);
      }
    }
    for (std::size_t k = 0; k < knapsack.size(); ++k) {
      const Item sum = sum_of(lists, knapsack.choice(k));
      EXPECT_NEAR(sum.seconds, knapsack.seconds(k), 1e-9);
      EXPECT_NEAR(sum.damage, knapsack.damage(k), 1e-9);
    }
  }
}

TEST(Knapsack, ThinningCostsLittle) {
  Prng prng(Seed{2});
  auto lists = random_lists(prng, 12, 6);
  for (auto& list : lists) {
    for (Item& item : list) item.seconds += 1 / std::sqrt(item.damage);
  }
  const Knapsack exact(lists, 1 << 20), thinned(lists, 64);
  EXPECT_GT(exact.size(), 64U) << "nothing to thin";
  EXPECT_LE(thinned.size(), 65U);
  for (double damage = 100; damage < 4000; damage *= 1.3) {
    const double best = exact.seconds(exact.fastest(damage));
    EXPECT_LE(thinned.seconds(thinned.fastest(damage)), best * 1.1 + 0.05);
  }
}

TEST(Knapsack, OneListOfOneItem) {
  const std::vector<std::vector<Item>> lists = {{{2, 3}}};
  const Knapsack knapsack(lists);
  EXPECT_EQ(knapsack.size(), 1U);
  EXPECT_EQ(knapsack.fastest(1), 0U);
  EXPECT_EQ(knapsack.least_damage(1), 1U);
  EXPECT_EQ(knapsack.choice(0), std::vector<int>{0});
}

}  // namespace
}  // namespace ap::search

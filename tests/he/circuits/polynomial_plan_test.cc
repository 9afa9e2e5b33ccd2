#include "he/circuits/polynomial_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "base/error.h"

namespace ap::circuits {
namespace {

constexpr Parity kAll[] = {Parity::general, Parity::odd, Parity::even};

bool absent(Parity parity, int j) {
  return (parity == Parity::odd && j % 2 == 0) || (parity == Parity::even && j % 2 == 1);
}

// Fewest products of every split, for one set of powers.
class BruteForce {
 public:
  static constexpr int kNever = 1000;
  explicit BruteForce(std::set<int> powers) : powers_(std::move(powers)) {}

  int products(int degree, Parity parity, int depth) {
    while (degree > 0 && absent(parity, degree)) --degree;
    if (degree <= 0) return 0;
    if (polynomial_depth(degree) > depth) return kNever;
    const auto [at, fresh] = known_.try_emplace({degree, parity, depth}, kNever);
    if (!fresh) return at->second;
    int best = kNever;
    for (const int g : powers_) {
      if (g > degree || power_depth(g) >= depth) continue;
      if (g == degree) best = std::min(best, products(degree - 1, parity, depth));
      const Parity kind = parity == Parity::general || g % 2 == 0 ? parity
                          : parity == Parity::odd                 ? Parity::even
                                                                  : Parity::odd;
      best = std::min(best, 1 + products(degree - g, kind, depth - 1) + products(g - 1, parity, depth));
    }
    return known_[{degree, parity, depth}] = best;
  }

 private:
  std::set<int> powers_;
  std::map<std::tuple<int, Parity, int>, int> known_;
};

// Whether every power is a product of two others at its least depth.
bool can_be_made(const std::set<int>& powers) {
  for (const int n : powers) {
    bool found = n == 1;
    for (const int left : powers) {
      if (left >= n || 2 * left < n || power_depth(left) >= power_depth(n)) continue;
      found |= powers.contains(n - left) && (2 * left == n || powers.contains(2 * left - n));
    }
    if (!found) return false;
  }
  return true;
}

int fewest_products(int degree, Parity parity) {
  int best = BruteForce::kNever;
  for (unsigned chosen = 0; chosen < 1U << (degree - 1); ++chosen) {
    std::set<int> powers{1};
    for (int n = 2; n <= degree; ++n) {
      if ((chosen >> (n - 2)) & 1) powers.insert(n);
    }
    const int made = static_cast<int>(powers.size()) - 1;
    if (made >= best || !can_be_made(powers)) continue;
    best = std::min(best, made + BruteForce(powers).products(degree, parity, polynomial_depth(degree)));
  }
  return best;
}

TEST(PolynomialPlan, FewestProductsOfAllSetsOfPowersAndAllSplits) {
  for (const Parity parity : kAll) {
    for (int degree = 1; degree <= 13; ++degree) {
      if (absent(parity, degree)) continue;
      EXPECT_EQ(plan_polynomial(degree, parity).products(), fewest_products(degree, parity)) << degree;
    }
  }
}

// Every degree: the least depth, powers that exist before they are used, levels that suffice.
TEST(PolynomialPlan, EveryDegreeAtTheLeastDepth) {
  for (const Parity parity : kAll) {
    for (int degree = 1; degree <= 255; ++degree) {
      if (absent(parity, degree)) continue;
      const PolynomialPlan plan = plan_polynomial(degree, parity);
      int depth = 0;
      while ((1 << depth) < degree + 1) ++depth;
      ASSERT_EQ(plan.depth, depth) << degree;
      std::set<int> there{1};
      for (const auto& [n, left, right] : plan.powers) {
        ASSERT_EQ(n, left + right);
        ASSERT_GE(left, right);
        ASSERT_TRUE(there.contains(left) && there.contains(right)) << n;
        if (left > right) {
          ASSERT_TRUE(there.contains(left - right)) << n;
        }
        ASSERT_LT(power_depth(left), power_depth(n)) << n;
        there.insert(n);
      }
      ASSERT_EQ(plan.nodes[0].degree, degree);
      ASSERT_EQ(plan.nodes[0].depth, depth);
      for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const PolynomialPlan::Node& node = plan.nodes[i];
        int left = node.degree;
        const auto take = [&](int to) {
          for (; left > to; --left) {
            // A power of its own, one level above the sum's rescaling, or no term at all.
            ASSERT_TRUE(parity != Parity::general || (there.contains(left) && power_depth(left) < node.depth))
                << left;
          }
        };
        for (const auto& [divided, power, quotient] : node.products) {
          take(divided);
          ASSERT_TRUE(there.contains(power));
          ASSERT_LT(power_depth(power), node.depth);
          ASSERT_GT(static_cast<std::size_t>(quotient), i);
          const PolynomialPlan::Node& child = plan.nodes[static_cast<std::size_t>(quotient)];
          ASSERT_EQ(child.degree, divided - power);
          ASSERT_EQ(child.depth, node.depth - 1);
          left = power - 1;
        }
        take(0);
      }
    }
  }
}

TEST(PolynomialPlan, CountsOfKnownDegrees) {
  struct Row {
    int degree;
    Parity parity;
    int depth, products, relinearisations;
  };
  // Of odd degrees these are the counts of Lee, Lee, No et al. (2020/834, table 2) at the same depths.
  for (const Row& row : std::vector<Row>{{1, Parity::odd, 1, 0, 0},
                                         {3, Parity::odd, 2, 2, 2},
                                         {5, Parity::odd, 3, 3, 3},
                                         {7, Parity::odd, 3, 5, 4},
                                         {13, Parity::odd, 4, 7, 6},
                                         {15, Parity::odd, 4, 8, 7},
                                         {27, Parity::odd, 5, 10, 9},
                                         {30, Parity::even, 5, 9, 8},
                                         {31, Parity::general, 5, 13, 10},
                                         {63, Parity::general, 6, 18, 15}}) {
    const PolynomialPlan plan = plan_polynomial(row.degree, row.parity);
    EXPECT_EQ(plan.depth, row.depth) << row.degree;
    EXPECT_EQ(plan.products(), row.products) << row.degree;
    EXPECT_EQ(plan.relinearisations(), row.relinearisations) << row.degree;
    EXPECT_GE(plan.rescales(), plan.relinearisations()) << row.degree;
  }
}

TEST(PolynomialPlan, WrongDegrees) {
  EXPECT_THROW(plan_polynomial(0, Parity::general), Error);
  EXPECT_THROW(plan_polynomial(1024, Parity::general), Error);
  EXPECT_THROW(plan_polynomial(4, Parity::odd), Error);
  EXPECT_THROW(plan_polynomial(5, Parity::even), Error);
}

}  // namespace
}  // namespace ap::circuits

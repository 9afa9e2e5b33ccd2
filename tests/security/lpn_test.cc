#include "security/lpn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace ap::security {
namespace {

constexpr LpnInstance kFerretSmall{36288, 1269, 512, 10}, kFerretLarge{238000, 2507, 4096, 10};

std::map<std::string, LpnAttack> attacks_on(const LpnInstance& instance) {
  std::map<std::string, LpnAttack> result;
  for (LpnAttack& attack : lpn_attacks(instance)) result.emplace(attack.name, attack);
  return result;
}

// The sets called b12 by Ferret's implementation and the set-up of its paper: 128 bits by pooled Gauss alone,
// but far below with the sparse rows used.
TEST(Lpn, SparseRowsBringFerretsSetsBelow128Bits) {
  const auto small = attacks_on(kFerretSmall), large = attacks_on(kFerretLarge);
  EXPECT_NEAR(small.at("subset, dense").trials_log2, 75.9, 0.3);
  EXPECT_NEAR(small.at("subset, dense").bits, 117, 0.5);
  EXPECT_NEAR(small.at("subset, sparse").bits, 110, 0.7);
  EXPECT_NEAR(large.at("subset, dense").trials_log2, 55.7, 0.3);
  EXPECT_NEAR(large.at("subset, dense").bits, 104, 0.5);
  EXPECT_NEAR(large.at("subset, sparse").bits, 95, 0.7);
  EXPECT_GT(small.at("pooled Gauss").bits, 128);
  EXPECT_GT(large.at("pooled Gauss").bits, 128);
}

TEST(Lpn, SubsetsDetermineThemselves) {
  const double random = lpn_random_subset(kFerretLarge), share = random / kFerretLarge.k;
  EXPECT_NEAR(kFerretLarge.n() * std::pow(share, 10), random, 1e-3 * random);
  EXPECT_LT(lpn_smallest_subset(kFerretLarge), random);
  EXPECT_GT(lpn_smallest_subset(kFerretLarge), random / 2);
}

// More noise, a longer secret and heavier rows never make it easier.
TEST(Lpn, HarderInstancesTakeMore) {
  for (const auto& [name, attack] : attacks_on({238000, 5014, 2048, 10})) {
    EXPECT_GT(attacks_on({300000, 5014, 2048, 10}).at(name).bits, attack.bits) << name;
    EXPECT_GT(attacks_on({238000, 10028, 1024, 10}).at(name).bits, attack.bits) << name;
    EXPECT_GE(attacks_on({238000, 5014, 2048, 12}).at(name).bits, attack.bits) << name;
  }
}

/// Degree 2 suffices without a guess where k - t < n / sqrt(t).
TEST(Lpn, AlgebraicAttackNeedsNoGuessWhereTheSecretIsShort) {
  EXPECT_NEAR(attacks_on({300, 1000, 100, 10}).at("algebraic").trials_log2, 0, 1e-6);
  EXPECT_GT(attacks_on({60000, 1000, 100, 10}).at("algebraic").trials_log2, 100);
}

// --- the attack itself, on a toy
// ------------------------------------------------------------------------------

using Row = std::array<std::uint64_t, 2>;  // bits 0..119 the variables, bit 127 the right-hand side
constexpr std::size_t kSecret = 120, kRows = 5100, kWrong = 300, kWeight = 10, kBin = kRows / kWrong;

bool bit(const Row& row, std::size_t i) { return (row[i / 64] >> (i % 64)) & 1; }
void flip(Row& row, std::size_t i) { row[i / 64] ^= std::uint64_t{1} << (i % 64); }
void add(Row& row, const Row& other) {
  row[0] ^= other[0];
  row[1] ^= other[1];
}

struct Toy {
  explicit Toy(std::mt19937_64& random) : secret(kSecret), rows(kRows) {
    for (std::size_t i = 0; i < kSecret; ++i) secret[i] = random() & 1;
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t j = 0; j < kWeight; ++j) {
        const std::size_t variable = random() % kSecret;
        flip(rows[r], variable);
        if (secret[variable]) flip(rows[r], 127);
      }
    }
    for (std::size_t b = 0; b < kWrong; ++b) flip(rows[b * kBin + random() % kBin], 127);
  }
  std::vector<bool> secret;
  std::vector<Row> rows;
};

/// Eliminates the rows in this order until all but one of `variables` are determined: rows have even weight,
/// so the secret is known up to its complement at best. True if what comes out is the secret.
bool solve(const Toy& toy, const std::vector<std::size_t>& order, const std::vector<std::size_t>& variables) {
  std::array<Row, kSecret> pivots{};
  std::array<bool, kSecret> has{};
  std::size_t rank = 0;
  for (const std::size_t r : order) {
    Row row = toy.rows[r];
    for (const std::size_t v : variables) {
      if (!bit(row, v)) continue;
      if (has[v]) {
        add(row, pivots[v]);
        continue;
      }
      pivots[v] = row;
      has[v] = true;
      ++rank;
      break;
    }
    if (rank + 1 == variables.size()) break;
  }
  if (rank + 1 < variables.size()) return false;
  // The pivots' equations hold for the secret exactly if every row in use was right.
  return std::ranges::all_of(variables, [&](std::size_t v) {
    if (!has[v]) return true;
    bool sum = bit(pivots[v], 127);
    for (const std::size_t u : variables) sum ^= bit(pivots[v], u) && toy.secret[u];
    return !sum;
  });
}

TEST(Lpn, RowsInsideARandomSubsetBeatPooledGauss) {
  constexpr int kTrials = 30000;
  std::mt19937_64 random(7);
  const Toy toy(random);
  std::vector<std::size_t> all(kSecret), order(kRows);
  std::iota(all.begin(), all.end(), 0);
  std::iota(order.begin(), order.end(), 0);
  for (const std::size_t size : {kSecret, std::size_t{84}}) {  // 84: rho of the toy, lpn_random_subset
    int successes = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      for (std::size_t i = 0; i < size; ++i) std::swap(all[i], all[i + random() % (kSecret - i)]);
      const std::vector<std::size_t> variables(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
      Row outside{~std::uint64_t{0}, (std::uint64_t{1} << (kSecret - 64)) - 1};
      for (const std::size_t v : variables) flip(outside, v);
      std::vector<std::size_t> inside;
      for (std::size_t tried = 0; tried < kRows && inside.size() < 2 * size; ++tried) {
        std::swap(order[tried], order[tried + random() % (kRows - tried)]);
        const Row& row = toy.rows[order[tried]];
        if (((row[0] & outside[0]) | (row[1] & outside[1])) == 0) inside.push_back(order[tried]);
      }
      successes += solve(toy, inside, variables);
    }
    // 34.5 and 214.6 expected; the chance to be further off than this is below 2^-40.
    const double rate = std::pow(1 - static_cast<double>(size) / kRows, kWrong);
    EXPECT_NEAR(successes, kTrials * rate, 8 * std::sqrt(kTrials * rate)) << size;
    if (size < kSecret) {
      EXPECT_GT(successes, 100);
    }
  }
}

}  // namespace
}  // namespace ap::security

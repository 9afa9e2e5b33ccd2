// The multiple-choice knapsack by dynamic programming: one item of every list, and all sums of seconds and
// damage that no other choice beats in both. One run answers every bound on either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ap::search {

struct Item {
  double seconds = 0, damage = 0;
};

class Knapsack {
 public:
  /// Exact while no stage has more than `limit` unbeaten sums; beyond, sums are thinned to that many, evenly
  /// over the logarithm of the damage, so that what is kept is off by at most a grid step a stage. Lists must
  /// not be empty, numbers not negative.
  explicit Knapsack(std::span<const std::vector<Item>> lists, std::size_t limit = 1 << 12);

  /// The unbeaten sums by rising damage and falling seconds.
  std::size_t size() const { return stages_.back().size(); }
  double seconds(std::size_t k) const { return stages_.back()[k].seconds; }
  double damage(std::size_t k) const { return stages_.back()[k].damage; }
  /// The items of sum k, one index a list.
  std::vector<int> choice(std::size_t k) const;

  /// The fastest sum with at most this damage; 0 (the least damage) if there is none.
  std::size_t fastest(double max_damage) const;
  /// The least damaging sum with at most these seconds; size() if there is none.
  std::size_t least_damage(double max_seconds) const;

 private:
  struct Sum {
    double seconds = 0, damage = 0;
    std::uint32_t before = 0;  ///< index in the stage before
    int item = 0;
  };
  std::vector<std::vector<Sum>> stages_;  ///< stage 0 holds the empty sum
};

}  // namespace ap::search

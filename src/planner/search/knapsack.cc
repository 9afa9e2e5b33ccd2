#include "planner/search/knapsack.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::search {
namespace {

// Damages below this part of the largest are not told apart when sums are thinned.
constexpr double kSmallestPart = 1e-6;

}  // namespace

Knapsack::Knapsack(std::span<const std::vector<Item>> lists, std::size_t limit) : stages_{{Sum{}}} {
  AP_ASSERT(limit >= 2);
  for (const std::vector<Item>& list : lists) {
    AP_ASSERT(!list.empty());
    std::vector<Sum> all;
    const std::vector<Sum>& before = stages_.back();
    all.reserve(before.size() * list.size());
    for (std::size_t b = 0; b < before.size(); ++b) {
      for (std::size_t i = 0; i < list.size(); ++i) {
        all.push_back({before[b].seconds + list[i].seconds, before[b].damage + list[i].damage,
                       static_cast<std::uint32_t>(b), static_cast<int>(i)});
      }
    }
    std::ranges::sort(all, [](const Sum& a, const Sum& b) {
      return a.damage != b.damage ? a.damage < b.damage : a.seconds < b.seconds;
    });
    std::vector<Sum> kept;
    for (const Sum& s : all) {
      if (kept.empty() || s.seconds < kept.back().seconds) kept.push_back(s);
    }
    if (kept.size() > limit) {
      // Of every cell of the grid the fastest sum, which is the last one; both ends stay.
      const double least = kept.back().damage * kSmallestPart;
      const auto place = [&](const Sum& s) { return std::log(std::max(s.damage, least)); };
      const double low = place(kept.front()),
                   width = (place(kept.back()) - low) / static_cast<double>(limit - 1);
      const auto cell = [&](const Sum& s) { return static_cast<std::int64_t>((place(s) - low) / width); };
      std::vector<Sum> thinned{kept.front()};
      for (std::size_t k = 1; k < kept.size(); ++k) {
        if (k + 1 == kept.size() || cell(kept[k]) != cell(kept[k + 1])) thinned.push_back(kept[k]);
      }
      kept = std::move(thinned);
    }
    stages_.push_back(std::move(kept));
  }
}

std::vector<int> Knapsack::choice(std::size_t k) const {
  std::vector<int> items(stages_.size() - 1);
  for (std::size_t stage = items.size(); stage-- > 0;) {
    const Sum& s = stages_[stage + 1][k];
    items[stage] = s.item;
    k = s.before;
  }
  return items;
}

std::size_t Knapsack::fastest(double max_damage) const {
  const auto beyond = std::ranges::upper_bound(stages_.back(), max_damage, {}, &Sum::damage);
  const auto count = static_cast<std::size_t>(beyond - stages_.back().begin());
  return count == 0 ? 0 : count - 1;
}

std::size_t Knapsack::least_damage(double max_seconds) const {
  const auto found =
      std::ranges::find_if(stages_.back(), [&](const Sum& s) { return s.seconds <= max_seconds; });
  return static_cast<std::size_t>(found - stages_.back().begin());
}

}  // namespace ap::search

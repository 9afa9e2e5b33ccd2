#include "he/circuits/step_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"

namespace ap::circuits {
namespace {

// In (-size / 2, size / 2]: bands around the main diagonal are runs.
std::int64_t centred(std::size_t diagonal, std::size_t size) {
  const auto d = static_cast<std::int64_t>(diagonal), n = static_cast<std::int64_t>(size);
  return 2 * d > n ? d - n : d;
}

StepPlan split(std::span<const std::size_t> diagonals, std::size_t size, std::size_t width) {
  const auto w = static_cast<std::int64_t>(width);
  std::set<std::size_t> baby, giant;
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  for (const std::size_t diagonal : diagonals) {
    const std::int64_t d = centred(diagonal, size), b = (d % w + w) % w;
    steps.emplace_back(static_cast<std::size_t>(b) % size,
                       static_cast<std::size_t>(d - b + static_cast<std::int64_t>(2 * size)) % size);
    baby.insert(steps.back().first);
    giant.insert(steps.back().second);
  }
  StepPlan plan;
  plan.baby.assign(baby.begin(), baby.end());
  plan.giant.assign(giant.begin(), giant.end());
  const auto at = [](const std::set<std::size_t>& in, std::size_t step) {
    return static_cast<std::size_t>(std::distance(in.begin(), in.find(step)));
  };
  for (const auto& [b, g] : steps) plan.places.push_back({at(baby, b), at(giant, g)});
  return plan;
}

StepCost cost(const StepPlan& plan, const rlwe::Parameters& parameters, std::size_t level) {
  const std::size_t limbs = level + parameters.special_primes.size(), alpha = parameters.digit_primes(),
                    digits = (level + alpha - 1) / alpha;
  const auto moving = [](const std::vector<std::size_t>& steps) {
    return static_cast<std::size_t>(std::ranges::count_if(steps, [](std::size_t step) { return step != 0; }));
  };
  StepCost cost;
  cost.baby = moving(plan.baby);
  cost.giant = moving(plan.giant);
  cost.divisions = cost.giant + 2;
  cost.transforms = (cost.baby > 0 ? digits * limbs : 0) + cost.giant * (digits + 1) * limbs + 2 * limbs;
  cost.key_limbs = (cost.baby + cost.giant) * 2 * digits * limbs;
  return cost;
}

}  // namespace

StepPlan plan_steps(std::span<const std::size_t> diagonals, std::size_t size,
                    const rlwe::Parameters& parameters, std::size_t level) {
  AP_ASSERT(!diagonals.empty());
  std::size_t stride = size;
  for (const std::size_t diagonal : diagonals) {
    AP_ASSERT(diagonal < size);
    stride = std::gcd(stride, diagonal);
  }
  StepPlan best;
  bool found = false;
  // Widths from one (all steps giant) to the whole matrix (all steps baby). Far from the square root of the number of
  // diagonals only powers of two are worth a look.
  const std::size_t near = 4 * static_cast<std::size_t>(std::sqrt(static_cast<double>(diagonals.size()))) + 4;
  for (std::size_t k = 1; k * stride <= size; k = k < near ? k + 1 : std::bit_ceil(k + 1)) {
    StepPlan plan = split(diagonals, size, k * stride);
    plan.cost = cost(plan, parameters, level);
    if (found && plan.cost.total() >= best.cost.total()) continue;
    best = std::move(plan);
    found = true;
  }
  return best;
}

}  // namespace ap::circuits

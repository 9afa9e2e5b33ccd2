#include "layers/activation/one_trip/one_trip_plan.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/bits.h"
#include "base/error.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {
namespace {

constexpr int kMaxLabelBits = 64;
// The guard's two words share one of a string's 64-bit words.
constexpr int kMaxGuardedRing = 32;
// Bits that a silent OT costs.
constexpr double kBitsOfCot = 0.4;
// What is sent offline streams beside other work; online both parties wait for it.
constexpr double kOnlineWeight = 1.5;

/// Bits of the corrections of `tables` tables of 2^width entries.
std::size_t table_bits(int tables, int width) {
  return static_cast<std::size_t>(tables * width) << (width - 1);
}

/// Cuts `bits` into `count` digits whose tables are smallest; `lowest`: the first one has one table, not two.
std::vector<int> cut(int bits, std::size_t count, bool lowest) {
  std::vector<int> digits(count, 1);
  const auto grown = [&](std::size_t i) {
    const int tables = lowest && i == 0 ? 1 : 2;
    return table_bits(tables, digits[i] + 1) - table_bits(tables, digits[i]);
  };
  for (int left = bits - static_cast<int>(count); left > 0; --left) {
    std::size_t best = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (digits[i] < kMaxOneTripDigit && (best == count || grown(i) < grown(best))) best = i;
    }
    if (best == count) return {};
    ++digits[best];
  }
  return digits;
}

std::uint64_t slice_bytes(const OneTripStep& step) { return packed_bytes(step.count, 1); }

void add_step_cost(const OneTripStep& step, OtCost& cost) {
  const std::uint64_t padded = mpc::tiles_of(step.count) * mpc::kTile, slice = slice_bytes(step);
  std::uint64_t table_slices = 0, entries = 0, choices = step.early_bits();
  const auto table = [&](int tables, int width) {
    table_slices += table_bits(tables, width);
    entries += static_cast<std::uint64_t>(tables) << width;
    choices += static_cast<std::uint64_t>(width);
  };
  std::uint64_t wide = 0;
  for (std::size_t i = 0; i < step.digits.size(); ++i) {
    table(OneTripStep::carry_tables(i), step.digits[i]);
    cost.client_bytes += 2 * packed_bytes(step.count, step.label_bits(i));
    if (!step.wide(i)) continue;
    wide += i == 0 ? 1 : 2;
    // Of a guard of one digit one row is free.
    cost.client_bytes += (step.guard_digits == 1 ? 1 : 2) * packed_bytes(step.count, 2 * step.ring);
  }
  if (step.clamped()) table(step.high_tables(), step.high_bits);
  cost.client_cots += padded * choices;
  cost.offline_bytes += slice * table_slices;
  cost.server_bytes += slice * choices;
  std::uint64_t client_words = 2 * (step.early_bits() + wide) + 1, server_words = step.early_bits() + wide;
  std::uint64_t slices = entries + step.digits.size();
  if (step.has_word()) {
    cost.server_cots += padded;
    cost.client_bytes += 2 * packed_bytes(step.count, step.ring + 1);
    if (step.clamped()) cost.client_bytes += 2 * packed_bytes(step.count, step.ring);
    cost.server_bytes += packed_bytes(step.count, step.ring);
    const std::uint64_t word_bytes = mpc::RingWords::bytes_each(step.ring);
    cost.client_preprocessing += word_bytes * step.count;
    cost.server_preprocessing += 2 * word_bytes * step.count;
    ++client_words;
    ++slices;
    if (step.guard_digits > 1) ++client_words;
  }
  ++client_words;
  cost.client_preprocessing += 8 * step.count * client_words + padded / 8 * slices;
  cost.server_preprocessing += 8 * step.count * server_words + padded / 8 * (entries + choices);
  cost.one_way_messages += 2;
}

/// Chooses the digits by bytes. False if there are none.
bool choose_digits(OneTripStep& step) {
  double fewest = std::numeric_limits<double>::infinity();
  const auto most = [](int bits) { return static_cast<std::size_t>(bits); };
  OneTripStep best;
  for (std::size_t guard = step.guard_bits > 0 ? 1 : 0; guard <= most(step.guard_bits); ++guard) {
    for (std::size_t low = 1; low <= most(step.low_bits); ++low) {
      OneTripStep next = step;
      next.guard_digits = guard;
      next.digits = cut(step.guard_bits, guard, true);
      if (next.digits.size() != guard) continue;
      const std::vector<int> rest = cut(step.low_bits, low, guard == 0);
      if (rest.empty()) continue;
      next.digits.insert(next.digits.end(), rest.begin(), rest.end());
      if (next.label_bits(0) > kMaxLabelBits) break;
      OtCost cost;
      next.count = mpc::kTile * 64;
      add_step_cost(next, cost);
      const double bits = 8 * (kOnlineWeight * static_cast<double>(cost.client_bytes + cost.server_bytes) +
                               static_cast<double>(cost.offline_bytes)) +
                          kBitsOfCot * static_cast<double>(cost.client_cots);
      if (bits >= fewest) continue;
      fewest = bits;
      best = next;
      best.count = step.count;
    }
  }
  if (best.digits.empty()) return false;
  step = best;
  return true;
}

OneTripStep make_step(std::size_t count, int guard, int low, int high, int ring) {
  OneTripStep step;
  step.count = count;
  step.guard_bits = guard;
  step.low_bits = low;
  step.high_bits = high;
  step.ring = ring;
  return step;
}

/// The shapes of a layer's steps: of every input, and of the tournament's. False if one does not fit.
bool make_steps(const ActivationSpec& spec, OneTripStep& clamp, OneTripStep& compare) {
  if (spec.argmax) {
    const int compared = spec.sum_bits + spec.out_bits;
    clamp = make_step(spec.inputs, 0, spec.sum_bits, 0, compared + 1);
    clamp.carry_shift = compared;
    compare = make_step(0, 0, compared, 1, compared + 1);
    return choose_digits(clamp) && choose_digits(compare);
  }
  const int low = std::min(spec.clamp_bits, spec.sum_bits - 1);
  const int high = spec.sum_bits - low;
  const int ring = spec.pooled() ? std::max(spec.out_bits, low + 1) : spec.out_bits;
  if (high > kMaxOneTripDigit || (spec.guard_bits > 0 && ring > kMaxGuardedRing)) return false;
  clamp = make_step(spec.inputs, spec.guard_bits, low, high, ring);
  if (!choose_digits(clamp)) return false;
  compare = make_step(0, 0, low, 1, ring);
  return !spec.pooled() || choose_digits(compare);
}

}  // namespace

bool takes_one_trip(const ActivationSpec& spec) {
  if (spec.square || spec.product || spec.table || spec.in_prime != 0 || spec.out_prime != 0) return false;
  OneTripStep clamp, compare;
  return make_steps(spec, clamp, compare);
}

OneTripPlan plan_one_trip_layer(const ActivationSpec& spec) {
  OneTripPlan plan;
  OneTripStep compare;
  // Checks the spec, and knows what a tournament compares.
  const OtPlan tournament = plan_ot_layer(spec);
  if (!takes_one_trip(spec) || !make_steps(spec, plan.clamp, compare)) {
    fail_input(
        "activation layer: protocol one-trip takes ReLUs, clips, max-pools and argmaxes of at most {} bits above the "
        "clamp and no others, and this one has {} of {} bits; choose ot or auto",
        kMaxOneTripDigit, spec.clamp_bits, spec.sum_bits);
  }
  plan.inputs = spec.inputs;
  plan.share_bits = spec.share_bits();
  plan.out_bits = spec.out_bits;
  plan.index_bits = tournament.index_bits;
  plan.results = tournament.results;
  for (const PoolLevel& level : tournament.levels) {
    OneTripLevel& out = plan.levels.emplace_back();
    out.pairs = level.pairs;
    out.step = compare;
    out.step.count = level.pairs.size();
  }
  std::set<std::uint32_t> seen;
  for (const std::uint32_t result : plan.results) plan.repeated += seen.insert(result).second ? 0 : 1;
  return plan;
}

OtCost one_trip_cost(const OneTripPlan& plan) {
  OtCost cost;
  plan.for_steps([&](const OneTripStep& step) { add_step_cost(step, cost); });
  cost.offline_bytes += packed_bytes(plan.repeated, plan.out_bits);
  cost.server_preprocessing += 8 * plan.repeated;
  return cost;
}

}  // namespace ap::activation

#include "layers/activation/ot/ot_plan.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <unordered_map>

#include "base/bits.h"
#include "base/error.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {
namespace {

/// Up to this many bits, digits of four bits take the fewest rounds at nearly the fewest bytes; beyond, the
/// messages of 1-of-16 transfers outweigh the round or two that they save.
constexpr int kWideDigitBits = 16;

std::uint64_t ring_mask(int ring) { return ~std::uint64_t{0} >> (64 - ring); }

BitTerm bit_term(int ring, int variable, std::uint64_t factor) {
  BitTerm term{variable, factor & ring_mask(ring), 0, 0};
  const std::uint64_t twice = (2 * term.factor) & ring_mask(ring);
  if (twice != 0) {
    term.shift = std::countr_zero(twice);
    term.width = ring - term.shift;
  }
  return term;
}

void add_term(OtStep& step, int variable, std::uint64_t factor) {
  if (variable >= 0) step.terms.push_back(bit_term(step.ring, variable, factor));
}

void check(const ActivationSpec& spec) {
  if (spec.in_prime != 0 || spec.out_prime != 0) {
    fail_input(
        "activation layer: protocol ot takes shares modulo powers of two, not modulo the prime {}; choose gc",
        spec.in_prime != 0 ? spec.in_prime : spec.out_prime);
  }
  if (spec.argmax) return spec.validate();
  ActivationSpec narrow = spec;
  const int allowed = std::min(spec.clamp_bits, kMaxOtClampBits);
  if (spec.clamp_bits >= spec.sum_bits - 1) narrow.clamp_bits = std::min(allowed, 16);
  narrow.validate();
  if (spec.clamp_bits > kMaxOtClampBits || spec.out_bits < spec.clamp_bits) {
    fail_input("activation layer: clamp_bits is {}, allowed are 1 to out_bits, which is {}", spec.clamp_bits,
               spec.out_bits);
  }
}

/// Numbers the maxima that the windows need; equal pairs are computed once.
class Tournament {
 public:
  using Values = std::vector<std::uint32_t>;

  explicit Tournament(std::size_t inputs) : inputs_(inputs) {}

  /// The number of max(values), by a balanced tree over neighbours without repetitions.
  std::uint32_t max_of(Values values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    while (values.size() > 1) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < values.size(); i += 2) {
        values[kept++] = i + 1 < values.size() ? pair(values[i], values[i + 1]) : values[i];
      }
      values.resize(kept);
    }
    return values.front();
  }

  std::size_t comparisons() const { return pairs_.size(); }
  std::size_t levels() const { return deepest_; }
  const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs() const { return pairs_; }
  std::size_t level_of(std::size_t value) const { return value < inputs_ ? 0 : depths_[value - inputs_]; }

 private:
  std::uint32_t pair(std::uint32_t left, std::uint32_t right) {
    const std::uint64_t key = std::uint64_t{std::min(left, right)} << 32 | std::max(left, right);
    const auto [at, fresh] = known_.try_emplace(key, static_cast<std::uint32_t>(inputs_ + pairs_.size()));
    if (fresh) {
      depths_.push_back(std::max(level_of(left), level_of(right)) + 1);
      deepest_ = std::max(deepest_, depths_.back());
      pairs_.emplace_back(left, right);
    }
    return at->second;
  }

  std::size_t inputs_;
  std::size_t deepest_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs_;
  std::vector<std::size_t> depths_;
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

/// The tournament that first takes the maxima of runs of `run` consecutive entries of each window: with
/// windows listed row by row and `run` their width, overlapping windows share these row maxima.
Tournament tournament(const ActivationSpec& spec, std::size_t run, std::vector<std::uint32_t>& results) {
  Tournament t(spec.inputs);
  results.clear();
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    const auto window = spec.windows.begin() + static_cast<std::ptrdiff_t>(o * spec.pool_size);
    Tournament::Values rows;
    for (std::size_t i = 0; i < spec.pool_size; i += run) {
      const auto from = window + static_cast<std::ptrdiff_t>(i);
      rows.push_back(t.max_of(Tournament::Values(from, from + static_cast<std::ptrdiff_t>(run))));
    }
    results.push_back(t.max_of(std::move(rows)));
  }
  return t;
}

/// Renumbers the values level by level and fills in plan.levels and plan.results.
void plan_pooling(const ActivationSpec& spec, const OtStep& compare, OtPlan& plan) {
  std::size_t best_run = spec.pool_size;
  std::size_t fewest = SIZE_MAX;
  for (std::size_t run = 2; run <= spec.pool_size; ++run) {
    if (spec.pool_size % run != 0) continue;
    const std::size_t comparisons = tournament(spec, run, plan.results).comparisons();
    if (comparisons < fewest) {
      fewest = comparisons;
      best_run = run;
    }
  }
  const Tournament t = tournament(spec, best_run, plan.results);
  plan.levels.resize(t.levels());
  std::vector<std::uint32_t> number(spec.inputs + t.comparisons());
  for (std::size_t i = 0; i < spec.inputs; ++i) number[i] = static_cast<std::uint32_t>(i);
  auto next = static_cast<std::uint32_t>(spec.inputs);
  for (std::size_t level = 1; level <= t.levels(); ++level) {
    PoolLevel& out = plan.levels[level - 1];
    for (std::size_t i = 0; i < t.comparisons(); ++i) {
      if (t.level_of(spec.inputs + i) != level) continue;
      out.pairs.emplace_back(number[t.pairs()[i].first], number[t.pairs()[i].second]);
      number[spec.inputs + i] = next++;
    }
    out.step = compare;
    out.step.count = out.pairs.size();
  }
  for (std::uint32_t& result : plan.results) result = number[result];
}

void add_step_cost(const OtStep& step, OtCost& cost) {
  const ComparisonProgram& program = step.program;
  const std::uint64_t padded = mpc::tiles_of(step.count) * mpc::kTile;
  const std::uint64_t slice = packed_bytes(step.count, 1);
  std::uint64_t terms = 0, term_bytes = 0;
  for (const BitTerm& term : step.terms) {
    if (term.width == 0) continue;
    ++terms;
    term_bytes += mpc::RingWords::bytes_each(term.width);
    cost.client_bytes += packed_bytes(step.count, term.width);
  }
  const std::uint64_t steps = program.ands.size();
  std::uint64_t client_slices = 1;  // the choices of the flip
  std::uint64_t server_slices = 1 + terms;
  for (const Leaf& leaf : program.leaves) {
    client_slices += leaf.outputs.size() << leaf.width;
    server_slices += leaf.outputs.size() + static_cast<std::uint64_t>(leaf.width);
  }
  for (const AndStep& s : program.ands) {
    client_slices += 1 + 2 * s.y.size();
    server_slices += 1 + 2 * s.y.size();
  }
  cost.client_cots += padded * (program.leaf_choice_bits() + steps);
  cost.server_cots += padded * steps;
  cost.client_bytes += slice * (program.leaf_message_bits() + program.opened_bits());
  cost.server_bytes += slice * (program.leaf_choice_bits() + program.opened_bits());
  // Choices, leaves; every second level waits for one message each way.
  cost.one_way_messages += 2 + 2 * ((program.levels + 1) / 2);
  if (step.operand_bits == 0) {
    cost.client_preprocessing += padded / 8 * (client_slices - 1);
    cost.server_preprocessing += padded / 8 * (server_slices - 1);
    return;
  }
  const std::uint64_t word_bytes = mpc::RingWords::bytes_each(step.ring);
  cost.client_preprocessing += padded / 8 * client_slices + step.count * (3 * word_bytes + 2 * term_bytes);
  cost.server_preprocessing += padded / 8 * server_slices + step.count * (3 * word_bytes + term_bytes);
  cost.client_cots += padded * (1 + terms);
  cost.server_cots += padded;
  const std::uint64_t word = packed_bytes(step.count, step.ring);
  cost.client_bytes += slice + word;
  cost.server_bytes += slice * (1 + terms) + word;
  cost.one_way_messages +=
      2;  // the flip travels with the last message before it; the server's and the client's words
}

/// clamp(floor(x / 2^guard), 0, 2^low - 1), x of sum_bits + guard bits; low = sum_bits - 1 clamps from below
/// alone.
OtStep clamp_step(std::size_t count, int sum_bits, int guard, int low, int ring) {
  OtStep clamp;
  // In a ring no wider than the words the sum of the words wraps as it should; in a wider one the low parts
  // are added, and what they lack is put in.
  const bool wide = ring > sum_bits;
  const int digit = sum_bits + guard <= kWideDigitBits ? 4 : 2;
  clamp.program = comparison_program(guard, low, sum_bits - low, digit, wide);
  clamp.count = count;
  clamp.operand_shift = guard;
  clamp.operand_bits = wide ? low : sum_bits;
  clamp.ring = ring;
  if (low < sum_bits - 1) add_term(clamp, clamp.program.above, (std::uint64_t{1} << low) - 1);
  add_term(clamp, clamp.program.wrapped, 0 - (std::uint64_t{1} << low));
  add_term(clamp, clamp.program.carried, 1);
  return clamp;
}

TablePlan plan_table(const ActivationSpec& spec) {
  const TableSpec& table = *spec.table;
  TablePlan plan;
  plan.word_bits = spec.clamp_bits;
  plan.even = table.even;
  plan.cell_bits = table.cell_bits;
  if (table.relu) plan.relu = clamp_step(spec.inputs, plan.word_bits, 0, plan.word_bits - 1, spec.out_bits);
  LookupStep& lookup = plan.lookup;
  lookup.count = spec.inputs;
  lookup.index_bits = table.index_bits(spec.clamp_bits);
  lookup.value_bits = table.value_bits;
  lookup.ring = spec.out_bits;
  lookup.values = table.values;
  for (int i = 0; i < table.value_bits; ++i) {
    lookup.terms.push_back(bit_term(lookup.ring, i, i < lookup.ring ? std::uint64_t{1} << i : 0));
  }
  if (table.cell_bits > 0) {
    // [carry] (1 + 0): the server's operand is 1, the client's 0.
    OtStep& carry = plan.carry.emplace();
    carry.program = carry_program(table.cell_bits, 4);
    carry.count = spec.inputs;
    carry.operand_shift = table.cell_bits;
    carry.operand_bits = 1;
    carry.ring = lookup.index_bits;
  }
  return plan;
}

void add_lookup_cost(const LookupStep& step, OtCost& cost) {
  const std::uint64_t padded = mpc::tiles_of(step.count) * mpc::kTile;
  const std::uint64_t slice = packed_bytes(step.count, 1);
  std::uint64_t terms = 0, term_bytes = 0;
  for (const BitTerm& term : step.terms) {
    if (term.width == 0) continue;
    ++terms;
    term_bytes += mpc::RingWords::bytes_each(term.width);
    cost.client_bytes += packed_bytes(step.count, term.width);
  }
  cost.client_cots += padded * (static_cast<std::uint64_t>(step.index_bits) + terms);
  cost.client_bytes += step.count * lookup_message_bytes(step);
  cost.server_bytes += packed_bytes(step.count, step.index_bits) + slice * terms;
  cost.client_preprocessing +=
      step.count * (16 * mpc::lookup_blocks(step.index_bits, step.value_bits) + 2 * term_bytes);
  cost.server_preprocessing += step.count * (16 + term_bytes) + padded / 8 * terms;
  // The index, the entries; the choices of the value's bits, their words.
  cost.one_way_messages += terms > 0 ? 4 : 2;
}

/// In a ring with one bit more than the values, what their sum carries out of n bits enters as -2^(n + t) =
/// 2^(n + t), of which the two shares of the carry may simply be added.
OtPlan plan_argmax(const ActivationSpec& spec) {
  OtPlan plan;
  plan.inputs = spec.inputs;
  plan.share_bits = spec.sum_bits;
  plan.out_bits = spec.out_bits;
  plan.index_bits = spec.out_bits;
  const int compared = spec.sum_bits + plan.index_bits;
  plan.clamp.program = carry_program(spec.sum_bits, 4);
  plan.clamp.count = spec.inputs;
  plan.clamp.ring = compared + 1;
  add_term(plan.clamp, plan.clamp.program.in_range, std::uint64_t{1} << compared);
  // So few comparisons that bytes do not matter beside rounds.
  OtStep compare;
  compare.program = comparison_program(0, compared, 1, 4, false);
  compare.operand_bits = compared + 1;
  compare.ring = compared + 1;
  ActivationSpec pool = spec;
  pool.pool_size = spec.inputs;
  pool.windows.resize(spec.inputs);
  std::iota(pool.windows.begin(), pool.windows.end(), 0U);
  plan_pooling(pool, compare, plan);
  return plan;
}

}  // namespace

OtPlan plan_ot_layer(const ActivationSpec& spec) {
  check(spec);
  if (spec.argmax) return plan_argmax(spec);
  OtPlan plan;
  plan.inputs = spec.inputs;
  plan.share_bits = spec.share_bits();
  plan.out_bits = spec.out_bits;
  plan.square = spec.square;
  plan.product = spec.product;
  if (spec.square && spec.square->guard_bits > 0) {
    // [carry] * (linear + square (2 t + 1)): the value at t + 1 less that at t.
    OtStep& step = plan.carry.emplace();
    step.program = carry_program(spec.square->guard_bits, 4);
    step.count = spec.inputs;
    step.operand_shift = spec.square->guard_bits;
    step.operand_bits = spec.square->value_bits;
    step.ring = spec.square->value_bits;
  }
  const bool clamped = spec.clamp_bits < spec.sum_bits - 1;
  const int low = clamped ? spec.clamp_bits : spec.sum_bits - 1;
  // Differences of two values need one bit more than the values.
  const int ring = spec.pooled() ? std::max(spec.out_bits, low + 1)
                   : spec.table  ? spec.clamp_bits
                                 : spec.out_bits;
  plan.clamp = clamp_step(spec.inputs, spec.sum_bits, spec.guard_bits, low, ring);
  if (spec.table) plan.table = plan_table(spec);
  if (spec.pooled()) {
    OtStep compare;
    compare.program = comparison_program(0, low, 1, low < kWideDigitBits ? 4 : 2, false);
    compare.operand_bits = ring;
    compare.ring = ring;
    plan_pooling(spec, compare, plan);
  }
  return plan;
}

OtCost ot_cost(const OtPlan& plan) {
  OtCost cost;
  plan.for_steps([&](const OtStep& step) { add_step_cost(step, cost); });
  if (plan.table) add_lookup_cost(plan.table->lookup, cost);
  cost.client_bytes += packed_bytes(plan.outputs(), plan.out_bits);
  if (plan.square) {
    // The opened words travel with the choices that follow them.
    const SquareCost square = square_cost(*plan.square, plan.inputs);
    cost.client_cots += square.cots;
    cost.offline_bytes += square.offline_bytes;
    cost.server_bytes += square.online_bytes;
    cost.client_preprocessing += 16 * plan.inputs;
    cost.server_preprocessing += 16 * plan.inputs;
  }
  if (plan.product) {
    const ProductCost product = product_cost(*plan.product, plan.inputs);
    cost.client_cots += product.cots;
    cost.offline_bytes += product.offline_bytes;
    cost.server_bytes += product.online_bytes;
    cost.client_preprocessing += 8 * (plan.inputs + plan.arguments());
    cost.server_preprocessing += 24 * plan.inputs;
  }
  return cost;
}

OtCost ot_cost(const ActivationSpec& spec) { return ot_cost(plan_ot_layer(spec)); }

OtCost ot_cost(std::span<const ActivationSpec> specs) {
  OtCost sum;
  for (const ActivationSpec& spec : specs) sum += ot_cost(spec);
  return sum;
}

OtCost& OtCost::operator+=(const OtCost& other) {
  client_cots += other.client_cots;
  server_cots += other.server_cots;
  offline_bytes += other.offline_bytes;
  client_bytes += other.client_bytes;
  server_bytes += other.server_bytes;
  client_preprocessing += other.client_preprocessing;
  server_preprocessing += other.server_preprocessing;
  one_way_messages += other.one_way_messages;
  return *this;
}

}  // namespace ap::activation

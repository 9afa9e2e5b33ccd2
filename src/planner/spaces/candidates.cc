#include "planner/spaces/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/packing_choice.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

constexpr std::uint32_t kDegrees[] = {1024, 2048, 4096, 8192};
// Outputs of one product: more of them save products and replies, but each collects the noise of all.
constexpr int kMaxOutputs[] = {0, 1, 2, 4, 8, 16};
// Kernels are fastest on primes up to this size, so larger moduli are split before they reach the limit of a
// word.
constexpr int kFastPrimeBits = 50;
constexpr int kMaxPrimeBits = 60;
constexpr int kMinPrimeBits = 20;
// Bits of q beyond the fewest that a budget needs which are tried.
constexpr int kSurplusBits = 6;
// What q has beyond p, typically: without noise of the server's own, and with it.
constexpr int kTypicalNoiseBits = 8, kTypicalPrivateBits = 22;

/// How q of `bits` bits is split into equal primes; empty if the scheme cannot hold it.
std::vector<int> prime_sizes(int bits, std::uint32_t n) {
  const int limit = security::max_log2_q(n);
  if (bits > std::min(limit, 2 * kMaxPrimeBits)) return {};
  if (bits <= kFastPrimeBits || limit <= kMaxPrimeBits) return {bits};
  return {(bits + 1) / 2, bits / 2};
}

bfv::Parameters parameters_for(const std::vector<int>& sizes, std::uint32_t n) {
  bfv::Parameters p;
  p.n = n;
  if (sizes.size() == 2 && sizes[0] == sizes[1]) {
    p.primes = bfv::ntt_primes(sizes[0], n, 2);
  } else {
    for (const int bits : sizes) p.primes.push_back(bfv::ntt_primes(bits, n, 1).front());
  }
  return p;
}

/// The smallest log2 q that keeps the budget. q must also be at least 2p for shares to be rounded at all.
double needed_log2_q(double variance, int log2_p, const ErrorBudget& budget) {
  if (budget.error_std > 0)
    return std::max(noise::log2_q_for_error_std(variance, log2_p, budget.error_std), log2_p + 1.0);
  return noise::log2_q_for_failure(variance, log2_p, budget.target_failure_log2, budget.coefficients);
}

linear::UnitCosts costs_of(std::uint32_t n, double log2_q, int primes, int c0_dropped_bits,
                           int c1_dropped_bits, const LayerOptions& options) {
  linear::UnitCosts costs =
      cost::unit_costs(options.profile, n, log2_q, primes, c0_dropped_bits, c1_dropped_bits);
  costs.bytes_per_second = options.bytes_per_second;
  return costs;
}

const nn::QLinear& linear_of(const nn::QNode& node) {
  const auto* op = std::get_if<nn::QLinear>(&node.op);
  AP_ASSERT(op != nullptr);
  return *op;
}

}  // namespace

double price_of(const Candidate& candidate, double bytes_per_second) {
  return candidate.choice.predicted_s +
         static_cast<double>(candidate.choice.predicted_bytes) / bytes_per_second;
}

LayerSpace::LayerSpace(const nn::QNode& node, int log2_p, const LayerOptions& options)
    : name_(node.name),
      geometry_(linear::geometry_of(linear_of(node), node.shape.c)),
      log2_p_(log2_p),
      largest_weight_(noise::quarter_octave(linear::largest_magnitude(linear_of(node).weights))),
      options_(options) {
  const int typical = options.privacy_inferences > 0 ? kTypicalPrivateBits : kTypicalNoiseBits;
  for (const std::uint32_t n : kDegrees) {
    const int limit = security::max_log2_q(n);
    for (const int max_outputs : kMaxOutputs) {
      // The best packing depends on how many bytes a reply has beside an upload: as many, or the fewest that
      // can tell p values apart.
      const int bits = std::clamp(log2_p + typical, kMinPrimeBits, limit);
      for (const int c1_dropped_bits : {0, std::max(bits - log2_p - 2, 0)}) {
        const int primes = static_cast<int>(std::max<std::size_t>(prime_sizes(bits, n).size(), 1));
        const linear::UnitCosts costs = costs_of(n, bits, primes, 0, c1_dropped_bits, options_);
        const auto found = linear::find_packing(geometry_, n, costs, max_outputs);
        if (!found) break;  // the kernel alone is larger than this ring
        add(n, found->packing, linear_of(node).weights);
      }
    }
  }
}

void LayerSpace::add(std::uint32_t n, const linear::Packing& packing, std::span<const std::int16_t> weights) {
  const bool known = std::ranges::any_of(
      packings_, [&](const Packed& held) { return held.n == n && held.packing == packing; });
  if (known) return;
  const linear::Layout layout(geometry_, packing, n);
  const double norm = noise::quarter_octave(std::sqrt(linear::max_reply_norm2(layout, weights)));
  packings_.push_back({n, packing, norm * norm, layout.reads(0).size(), layout.reads_of_a_weight()});
}

LayerSpace::Need LayerSpace::need_of(const Packed& packed, const ErrorBudget& budget) const {
  // The noise is a part of the errors, so its error_std is at most theirs.
  const double error_std = budget.error_std > 0 ? budget.error_std : std::numeric_limits<double>::infinity();
  const std::uint64_t step = noise::noise_step(
      {options_.privacy_inferences, packed.reads_of_a_weight, largest_weight_, packed.weight_norm2},
      error_std);
  const noise::ReplyNoise fresh{packed.n, packed.weight_norm2, kErrorSigma, 0, 0, step};
  return {step, needed_log2_q(noise::variance(fresh), log2_p_, budget)};
}

std::optional<Candidate> LayerSpace::with_modulus(const Packed& packed, int bits, const Need& need) const {
  const std::vector<int> sizes = prime_sizes(bits, packed.n);
  if (sizes.empty() || sizes.back() < kMinPrimeBits) return {};
  Candidate c;
  c.parameters = parameters_for(sizes, packed.n);
  const double log2_q = c.parameters.log2_q();
  if (log2_q < need.log2_q) return {};
  noise::ReplyNoise noise{packed.n, packed.weight_norm2, kErrorSigma, 0, 0, need.noise_step};
  c.choice.noise_step = need.noise_step;
  const double slack = noise::variance(noise) * (std::exp2(2 * (log2_q - need.log2_q)) - 1);
  const noise::DroppedBits drop = noise::choose_dropped_bits(packed.n, packed.reads, log2_q, slack);
  noise.c0_dropped_bits = drop.c0_dropped_bits;
  noise.c1_dropped_bits = drop.c1_dropped_bits;
  const linear::UnitCosts costs = costs_of(packed.n, log2_q, static_cast<int>(sizes.size()),
                                           drop.c0_dropped_bits, drop.c1_dropped_bits, options_);
  const linear::PackingChoice price = linear::price(geometry_, packed.packing, costs);
  c.choice.log2_p = log2_p_;
  c.choice.packing = CoefficientChoice{packed.packing, drop.c0_dropped_bits, drop.c1_dropped_bits};
  c.choice.error_std = noise::error_std(noise::variance(noise), log2_q, log2_p_);
  c.choice.failure_log2 = noise::log2_union(noise::log2_failure(noise::variance(noise), log2_q, log2_p_),
                                            static_cast<double>(geometry_.out().size()));
  c.choice.predicted_s = price.client_seconds + price.server_seconds;
  c.choice.predicted_bytes = static_cast<std::uint64_t>(price.bytes_up + price.bytes_down);
  return c;
}

std::vector<Candidate> LayerSpace::candidates(const ErrorBudget& asked) const {
  // Budgets may come from values of the network, the largest logit say: no finer than a quarter octave either.
  ErrorBudget budget = asked;
  if (asked.error_std > 0) budget.error_std = 1 / noise::quarter_octave(1 / asked.error_std);
  std::vector<Candidate> found;
  for (const Packed& packed : packings_) {
    const Need need = need_of(packed, budget);
    // A prime of b bits lies a little below 2^b.
    const int least = std::max(static_cast<int>(std::ceil(need.log2_q + 0.01)), kMinPrimeBits);
    // Every bit more costs uploads, and lets replies drop more: nearly all they can after a few.
    std::optional<Candidate> best;
    for (int bits = least; bits <= std::min(least + kSurplusBits, security::max_log2_q(packed.n)); ++bits) {
      auto c = with_modulus(packed, bits, need);
      if (c &&
          (!best || price_of(*c, options_.bytes_per_second) < price_of(*best, options_.bytes_per_second)))
        best = std::move(c);
    }
    if (best) found.push_back(std::move(*best));
  }
  return found;
}

Candidate LayerSpace::cheapest(const ErrorBudget& budget) const {
  const std::vector<Candidate> all = candidates(budget);
  if (all.empty()) {
    fail_input(
        "layer {} needs a plaintext modulus of 2^{} with weights that no ring up to degree "
        "{} holds at {} bits of security; quantise it with fewer bits",
        name_, log2_p_, kDegrees[std::size(kDegrees) - 1], security::kTargetBits);
  }
  return *std::ranges::min_element(
      all, {}, [&](const Candidate& c) { return price_of(c, options_.bytes_per_second); });
}

std::vector<Candidate> candidates(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                                  const LayerOptions& options) {
  return LayerSpace(node, log2_p, options).candidates(budget);
}

Candidate cheapest(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                   const LayerOptions& options) {
  return LayerSpace(node, log2_p, options).cheapest(budget);
}

std::vector<Candidate> pareto(const nn::QNode& node, int log2_p, std::span<const ErrorBudget> budgets,
                              const LayerOptions& options) {
  struct Point {
    Candidate candidate;
    double error = 0;
    auto key() const {
      return std::tuple(error, candidate.choice.predicted_bytes, candidate.choice.predicted_s);
    }
  };
  std::vector<Point> points;
  // Slow links favour few bytes, fast ones little work.
  for (const double bandwidth : {kGigabit / 100, kGigabit, 100 * kGigabit}) {
    LayerOptions there = options;
    there.bytes_per_second = bandwidth;
    const LayerSpace space(node, log2_p, there);
    for (const ErrorBudget& budget : budgets) {
      for (Candidate& c : space.candidates(budget)) {
        const double error = budget.error_std > 0 ? c.choice.error_std : 0;
        points.push_back({std::move(c), error});
      }
    }
  }
  std::ranges::sort(points, {}, &Point::key);
  std::vector<Candidate> front;
  std::vector<std::tuple<double, std::uint64_t, double>> kept;
  for (const Point& p : points) {
    const auto [error, bytes, seconds] = p.key();
    // Whatever dominates p comes earlier in this order.
    const bool beaten = std::ranges::any_of(kept, [&, b = bytes, s = seconds](const auto& k) {
      return std::get<1>(k) <= b && std::get<2>(k) <= s;
    });
    if (beaten) continue;
    kept.emplace_back(error, bytes, seconds);
    front.push_back(p.candidate);
  }
  return front;
}

}  // namespace ap::plan

#include "plan/candidates.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "linear/he_linear.h"
#include "linear/planner.h"
#include "noise/model.h"
#include "random/prng.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

constexpr std::uint32_t kDegrees[] = {1024, 2048, 4096, 8192};
// Outputs of one product: more of them save products and replies, but each collects the noise of all.
constexpr int kMaxOutputs[] = {0, 1, 4, 16};
// Kernels are fastest on primes up to this size, so larger moduli are split before they reach the limit of a
// word.
constexpr int kFastPrimeBits = 50;
constexpr int kMaxPrimeBits = 60;
constexpr int kMinPrimeBits = 20;

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
  if (budget.tau > 0) return std::max(noise::log2_q_for_tau(variance, log2_p, budget.tau), log2_p + 1.0);
  return noise::log2_q_for_failure(variance, log2_p, budget.target_failure_log2, budget.coefficients);
}

linear::UnitCosts costs_of(std::uint32_t n, double log2_q, int primes, int drop0, int drop1,
                           double bytes_per_second, const cost::Profile& profile) {
  linear::UnitCosts costs = cost::unit_costs(profile, n, log2_q, primes, drop0, drop1);
  costs.bytes_per_second = bytes_per_second;
  return costs;
}

/// One layer in one ring, with at most `max_outputs` outputs in a product; nothing if no modulus is both
/// large enough and secure.
std::optional<Candidate> in_ring(const linear::Geometry& geometry, const nn::QLinear& op, int log2_p,
                                 std::uint32_t n, int max_outputs, const ErrorBudget& budget,
                                 double bytes_per_second, const cost::Profile& profile) {
  linear::UnitCosts costs =
      costs_of(n, std::min(log2_p + 16, security::max_log2_q(n)), 1, 0, 0, bytes_per_second, profile);
  std::optional<Candidate> best;
  // The packing decides the noise, the noise the modulus, and the modulus the costs: two rounds settle it.
  for (int round = 0; round < 2; ++round) {
    const linear::Packing packing = linear::choose_packing(geometry, n, costs, max_outputs).packing;
    const linear::Layout layout(geometry, packing, n);
    noise::ReplyNoise noise{n, linear::max_reply_norm2(layout, op.weights), kErrorSigma, 0, 0};
    const double variance = noise::variance(noise);
    const double needed = needed_log2_q(variance, log2_p, budget);
    // A prime of b bits lies a little below 2^b.
    const int bits = std::max(static_cast<int>(std::ceil(needed + 0.01)), kMinPrimeBits);
    const std::vector<int> sizes = prime_sizes(bits, n);
    if (sizes.empty() || sizes.back() < kMinPrimeBits) return best;
    Candidate c;
    c.parameters = parameters_for(sizes, n);
    const double log2_q = c.parameters.log2_q();
    if (log2_q < needed) return best;
    const double slack = variance * (std::exp2(2 * (log2_q - needed)) - 1);
    noise::DroppedBits drop = noise::choose_dropped_bits(n, layout.reads(0).size(), log2_q, slack);
    // What is left of c0 and c1 must still tell p values apart.
    const int most = std::max(static_cast<int>(std::floor(log2_q - log2_p)), 0);
    drop.drop0 = std::min(drop.drop0, most);
    drop.drop1 = std::min(drop.drop1, most);
    noise.drop0 = c.choice.drop0 = drop.drop0;
    noise.drop1 = c.choice.drop1 = drop.drop1;
    costs = costs_of(n, log2_q, static_cast<int>(sizes.size()), drop.drop0, drop.drop1, bytes_per_second,
                     profile);
    const linear::PackingChoice price = linear::price(geometry, packing, costs);
    c.choice.log2_p = log2_p;
    c.choice.packing = packing;
    c.choice.error_std = noise::tau(noise::variance(noise), log2_q, log2_p);
    c.choice.failure_log2 = noise::log2_union(noise::log2_failure(noise::variance(noise), log2_q, log2_p),
                                              static_cast<double>(geometry.out().size()));
    c.choice.predicted_s = price.client_seconds + price.server_seconds;
    c.choice.predicted_bytes = static_cast<std::uint64_t>(price.bytes_up + price.bytes_down);
    if (!best || price.seconds < price_of(*best, bytes_per_second)) best = c;
  }
  return best;
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

std::vector<Candidate> candidates(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                                  double bytes_per_second, const cost::Profile& profile) {
  const nn::QLinear& op = linear_of(node);
  const linear::Geometry geometry = linear::geometry_of(op, node.shape.c);
  std::vector<Candidate> found;
  for (const std::uint32_t n : kDegrees) {
    for (const int max_outputs : kMaxOutputs) {
      try {
        const auto c = in_ring(geometry, op, log2_p, n, max_outputs, budget, bytes_per_second, profile);
        if (c) found.push_back(*c);
      } catch (const Error&) {
        continue;  // the kernel alone is larger than this ring
      }
    }
  }
  return found;
}

Candidate cheapest(const nn::QNode& node, int log2_p, const ErrorBudget& budget, double bytes_per_second,
                   const cost::Profile& profile) {
  const std::vector<Candidate> all = candidates(node, log2_p, budget, bytes_per_second, profile);
  if (all.empty()) {
    fail_input(
        "layer {} needs a plaintext modulus of 2^{} with weights that no ring up to degree {} holds at {} "
        "bits of "
        "security; quantise it with fewer bits",
        node.name, log2_p, kDegrees[std::size(kDegrees) - 1], security::kTargetBits);
  }
  return *std::ranges::min_element(all, {},
                                   [&](const Candidate& c) { return price_of(c, bytes_per_second); });
}

std::vector<Candidate> pareto(const nn::QNode& node, int log2_p, std::span<const ErrorBudget> budgets,
                              const cost::Profile& profile) {
  struct Point {
    Candidate candidate;
    double error = 0;
    auto key() const {
      return std::tuple(error, candidate.choice.predicted_bytes, candidate.choice.predicted_s);
    }
  };
  std::vector<Point> points;
  for (const ErrorBudget& budget : budgets) {
    // Slow links favour few bytes, fast ones little work.
    for (const double bandwidth : {kGigabit / 100, kGigabit, 100 * kGigabit}) {
      for (Candidate& c : candidates(node, log2_p, budget, bandwidth, profile)) {
        const double error = budget.tau > 0 ? c.choice.error_std : 0;
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

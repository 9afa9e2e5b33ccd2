#include "plan/select.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "linear/he_linear.h"
#include "linear/planner.h"
#include "noise/model.h"
#include "nonlinear/activation_spec.h"
#include "random/prng.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

constexpr std::uint32_t kDegrees[] = {1024, 2048, 4096, 8192};
// Kernels are fastest on primes up to this size, so larger moduli are split before they reach the limit of a word.
constexpr int kFastPrimeBits = 50;
constexpr int kMaxPrimeBits = 60;
constexpr int kMinPrimeBits = 20;
// Seconds of one core per AND gate (garbled and evaluated) and per input bit (transferred obliviously).
constexpr double kSecondsPerAnd = 30e-9;
constexpr double kSecondsPerInputBit = 40e-9;

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

struct Candidate {
  bfv::Parameters parameters;
  LinearChoice choice;
};

/// One layer in one ring, with at most `max_outputs` outputs in a product; nothing if no modulus is both large enough
/// and secure.
std::optional<Candidate> in_ring(const linear::Geometry& geometry, const nn::QLinear& op, int log2_p, std::uint32_t n,
                                 int max_outputs, double target_log2, double coefficients) {
  linear::UnitCosts costs = linear::typical_costs(n, std::min(log2_p + 16, security::max_log2_q(n)), 1, 0, 0);
  std::optional<Candidate> best;
  // The packing decides the noise, the noise the modulus, and the modulus the costs: two rounds settle it.
  for (int round = 0; round < 2; ++round) {
    const linear::Packing packing = linear::choose_packing(geometry, n, costs, max_outputs).packing;
    const linear::Layout layout(geometry, packing, n);
    noise::ReplyNoise noise{n, linear::max_reply_norm2(layout, op.weights), kErrorSigma, 0, 0};
    const double variance = noise::variance(noise);
    const double needed = noise::log2_q_for_failure(variance, log2_p, target_log2, coefficients);
    // A prime of b bits lies a little below 2^b.
    const int bits = std::max(static_cast<int>(std::ceil(needed + 0.01)), kMinPrimeBits);
    const std::vector<int> sizes = prime_sizes(bits, n);
    if (sizes.empty() || sizes.back() < kMinPrimeBits) return best;
    Candidate c;
    c.parameters = parameters_for(sizes, n);
    const double log2_q = c.parameters.log2_q();
    if (log2_q < needed) return best;
    const double budget = variance * (std::exp2(2 * (log2_q - needed)) - 1);
    const noise::DroppedBits drop =
        noise::choose_dropped_bits(n, layout.reads(0).size(), log2_q, budget);
    noise.drop0 = c.choice.drop0 = drop.drop0;
    noise.drop1 = c.choice.drop1 = drop.drop1;
    costs = linear::typical_costs(n, log2_q, static_cast<int>(sizes.size()), drop.drop0, drop.drop1);
    const linear::PackingChoice price = linear::price(geometry, packing, costs);
    c.choice.log2_p = log2_p;
    c.choice.packing = packing;
    c.choice.error_std = noise::tau(noise::variance(noise), log2_q, log2_p);
    c.choice.failure_log2 = noise::log2_union(noise::log2_failure(noise::variance(noise), log2_q, log2_p),
                                              static_cast<double>(geometry.out().size()));
    c.choice.predicted_s = price.client_seconds + price.server_seconds;
    c.choice.predicted_bytes = static_cast<std::uint64_t>(price.bytes_up + price.bytes_down);
    const double total = price.seconds;
    if (!best || total < best->choice.predicted_s + static_cast<double>(best->choice.predicted_bytes) / costs.bytes_per_second) {
      best = c;
    }
  }
  return best;
}

Candidate best_of(const nn::QNode& node, const nn::QLinear& op, int log2_p, double target_log2, double coefficients) {
  const linear::Geometry geometry = linear::geometry_of(op, node.shape.c);
  std::optional<Candidate> best;
  const auto price = [](const Candidate& c) {
    return c.choice.predicted_s + static_cast<double>(c.choice.predicted_bytes) / linear::UnitCosts{}.bytes_per_second;
  };
  for (const std::uint32_t n : kDegrees) {
    for (const int max_outputs : {0, 1, 4, 16}) {
      std::optional<Candidate> c;
      try {
        c = in_ring(geometry, op, log2_p, n, max_outputs, target_log2, coefficients);
      } catch (const Error&) {
        continue;  // the kernel alone is larger than this ring
      }
      if (c && (!best || price(*c) < price(*best))) best = c;
    }
  }
  if (!best) {
    fail_input("layer {} needs a plaintext modulus of 2^{} with weights that no ring up to degree {} holds at {} bits of "
               "security; quantise it with fewer bits",
               node.name, log2_p, kDegrees[std::size(kDegrees) - 1], security::kTargetBits);
  }
  return *best;
}

ActivationChoice choose_activation(const nn::QuantisedNetwork& network, int index, const nn::QActivation& op, int out_bits,
                                   int guard_bits) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(index)];
  const nn::QNode& input = network.nodes[static_cast<std::size_t>(node.inputs.front())];
  ActivationChoice choice;
  choice.node = index;
  choice.truncation = truncation_of(op, input, guard_bits);
  choice.out_bits = out_bits;
  nonlinear::ActivationSpec spec;
  spec.inputs = static_cast<std::size_t>(input.shape.size());
  spec.outputs = static_cast<std::size_t>(node.shape.size());
  spec.sum_bits = choice.truncation.sum_bits;
  spec.guard_bits = choice.truncation.guard_bits;
  spec.clamp_bits = op.bits;
  spec.out_bits = out_bits;
  if (op.has_pool) spec.pool_size = static_cast<std::size_t>(op.pool.kernel_h) * static_cast<std::size_t>(op.pool.kernel_w);
  choice.predicted_bytes = nonlinear::column_bytes(spec) + nonlinear::table_bytes(spec) + nonlinear::choice_bytes(spec) +
                           nonlinear::label_bytes(spec);
  choice.predicted_s = static_cast<double>(nonlinear::and_gates(spec)) * kSecondsPerAnd +
                       static_cast<double>(spec.inputs) * spec.share_bits() * kSecondsPerInputBit;
  return choice;
}

}  // namespace

Plan select_exact(const nn::QuantisedNetwork& network, const SelectOptions& options) {
  Plan plan;
  plan.policy = "exact";
  plan.target_failure_log2 = options.target_failure_log2;
  plan.modulus_bits = assign_moduli(network, options.guard_bits);
  double coefficients = 0;
  std::vector<int> linears;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (!std::holds_alternative<nn::QLinear>(network.nodes[i].op)) continue;
    linears.push_back(static_cast<int>(i));
    coefficients += static_cast<double>(network.nodes[i].shape.size());
  }
  std::vector<Candidate> candidates(linears.size());
  parallel_for(linears.size(), [&](std::size_t i) {
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(linears[i])];
    const int log2_p = std::max(plan.modulus_bits[static_cast<std::size_t>(linears[i])], 2);
    candidates[i] = best_of(node, std::get<nn::QLinear>(node.op), log2_p, options.target_failure_log2, coefficients);
  });
  plan.failure_log2 = -1000;
  plan.min_lambda_bits = 10000;
  for (std::size_t i = 0; i < linears.size(); ++i) {
    LinearChoice& choice = candidates[i].choice;
    choice.node = linears[i];
    const auto found = std::find(plan.groups.begin(), plan.groups.end(), candidates[i].parameters);
    choice.group = static_cast<int>(found - plan.groups.begin());
    if (found == plan.groups.end()) {
      plan.groups.push_back(candidates[i].parameters);
      plan.min_lambda_bits = std::min(
          plan.min_lambda_bits, security::lambda_bits(candidates[i].parameters.n, candidates[i].parameters.log2_q()));
    }
    plan.failure_log2 = std::log2(std::exp2(plan.failure_log2) + std::exp2(choice.failure_log2));
    plan.linears.push_back(choice);
  }
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (const auto* op = std::get_if<nn::QActivation>(&network.nodes[i].op)) {
      plan.activations.push_back(
          choose_activation(network, static_cast<int>(i), *op, plan.modulus_bits[i], options.guard_bits));
    }
  }
  validate(plan, network);
  return plan;
}

}  // namespace ap::plan

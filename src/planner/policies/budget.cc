#include "planner/policies/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/parallel.h"
#include "plan/quadratic.h"
#include "planner/policies/select.h"
#include "planner/spaces/assemble.h"
#include "planner/spaces/calibrate.h"

namespace ap::plan {
namespace {

// An 8-bit requantisation of the logits would have this many steps up to the largest.
constexpr double kLogitSteps = 128;

}  // namespace

std::vector<double> error_steps(const nn::QuantisedNetwork& network, std::span<const nn::Interval> ranges) {
  // By node, from the end: the error in its values that its strictest consumer counts as one unit.
  const auto& nodes = network.nodes;
  std::vector<double> step(nodes.size(), std::numeric_limits<double>::infinity());
  const auto limit = [&](int node, double value) {
    double& held = step[static_cast<std::size_t>(node)];
    held = std::min(held, value);
  };
  const nn::Interval& logits = ranges.back();
  step.back() = std::max(static_cast<double>(std::max(-logits.low, logits.high)) / kLogitSteps, 1.0);
  for (std::size_t i = nodes.size(); i-- > 1;) {
    const nn::QNode& node = nodes[i];
    if (const auto clamp = nn::clamp_of(node.op)) {
      limit(node.inputs[0], std::ldexp(1.0, clamp->shift));
    } else if (const auto* product = std::get_if<nn::QProduct>(&node.op)) {
      // The other factor multiplies the error.
      for (std::size_t k = 0; k < 2; ++k) {
        const nn::Interval& other = ranges[static_cast<std::size_t>(node.inputs[1 - k])];
        const auto largest = static_cast<double>(std::max({-other.low, other.high, std::int64_t{1}}));
        limit(node.inputs[k], std::ldexp(1.0, product->shift) / largest);
      }
    } else if (const auto* quadratic = std::get_if<nn::QQuadratic>(&node.op)) {
      const nn::Interval& range = ranges[static_cast<std::size_t>(node.inputs[0])];
      limit(node.inputs[0], quadratic_error_step(*quadratic, range));
    } else if (const auto* add = std::get_if<nn::QAdd>(&node.op)) {
      for (std::size_t k = 0; k < node.inputs.size(); ++k) {
        limit(node.inputs[k], step[i] / static_cast<double>(add->multiplier[k]));
      }
    } else if (const auto* pool = std::get_if<nn::QSumPool>(&node.op)) {
      limit(node.inputs[0], step[i] / std::sqrt(pool->window.kernel_h * pool->window.kernel_w));
    } else if (!std::holds_alternative<nn::QLinear>(node.op)) {
      for (const int input : node.inputs) limit(input, step[i]);
    }
  }
  std::vector<double> steps;
  for (const int node : linear_nodes(network)) steps.push_back(step[static_cast<std::size_t>(node)]);
  return steps;
}

Plan select_error_std(const nn::QuantisedNetwork& network, std::span<const double> error_std,
                      std::span<const nn::Interval> ranges, const BudgetOptions& options) {
  const std::vector<int> linears = linear_nodes(network);
  if (error_std.size() != linears.size()) {
    fail_input("{} error budgets were given for {} linear layers", error_std.size(), linears.size());
  }
  for (std::size_t i = 0; i < error_std.size(); ++i) {
    if (!(error_std[i] > 0 && error_std[i] < 1e9)) {
      fail_input("the error budget of layer {} is {}, outside 0..1e9 accumulator LSBs",
                 network.nodes[static_cast<std::size_t>(linears[i])].name, error_std[i]);
    }
  }
  std::vector<int> modulus_bits = assign_moduli(network, ranges, options.guard_bits);
  std::vector<Candidate> chosen(linears.size());
  parallel_for(linears.size(), [&](std::size_t i) {
    const auto node = static_cast<std::size_t>(linears[i]);
    chosen[i] = cheapest(network.nodes[node], std::max(modulus_bits[node], 2), {error_std[i], 0, 1},
                         {options.bytes_per_second, options.profile, options.privacy_inferences});
  });
  Plan plan = assemble(network, "budget", 0, std::move(modulus_bits), chosen, ranges, options.guard_bits,
                       options.profile);
  plan.privacy.inferences = options.privacy_inferences;
  return plan;
}

BudgetSelection select_budget(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                              std::span<const int> labels, const BudgetOptions& options) {
  if (!(options.max_accuracy_loss >= 0 && options.max_accuracy_loss <= 1)) {
    fail_input("an accuracy loss of {} is not between 0 and 1", options.max_accuracy_loss);
  }
  const std::vector<NodeTails> tails = observe_tails(network, images);
  BudgetSelection result;
  std::vector<nn::Interval> ranges = exact_ranges(network);
  result.overflow_log2 = -std::numeric_limits<double>::infinity();
  if (options.overflow_log2) {
    if (!(*options.overflow_log2 < 0))
      fail_input("an overflow probability of 2^{} is not below 1", *options.overflow_log2);
    result.overflow_log2 = *options.overflow_log2;
    ranges = calibrated_ranges(network, tails, *options.overflow_log2);
  }
  // What the logits really reach, also under exact moduli.
  std::vector<nn::Interval> used = ranges;
  used.back() = {static_cast<std::int64_t>(-tails.back().low.largest),
                 static_cast<std::int64_t>(tails.back().high.largest)};
  result.steps = error_steps(network, used);
  Simulator simulator(network, images, labels);
  for (const double fraction : options.fractions) {
    std::vector<double> error_std = result.steps;
    for (double& t : error_std) t *= fraction;
    result.plan = select_error_std(network, error_std, ranges, options);
    result.fraction = fraction;
    result.simulation = simulator.run(result.plan, options.simulate);
    if (result.simulation.loss.value_or(1 - result.simulation.agreement_mean) <= options.max_accuracy_loss)
      return result;
  }
  SelectOptions exact;
  exact.profile = options.profile;
  exact.privacy_inferences = options.privacy_inferences;
  result.plan = select_exact(network, exact);
  result.fraction = 0;
  result.overflow_log2 = -std::numeric_limits<double>::infinity();
  result.simulation = simulator.run(result.plan, options.simulate);
  return result;
}

}  // namespace ap::plan

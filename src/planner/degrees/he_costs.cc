#include "planner/degrees/he_costs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "he/circuits/polynomial_plan.h"

namespace ap::degrees {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Depth and products of plans, which take long to find and are asked for again and again.
std::pair<int, int> depth_and_products(int degree, circuits::Parity parity) {
  static std::mutex mutex;
  static std::map<std::pair<int, circuits::Parity>, std::pair<int, int>> known;
  const std::lock_guard lock(mutex);
  const auto [found, is_new] = known.try_emplace({degree, parity});
  if (is_new) {
    const circuits::PolynomialPlan plan = circuits::plan_polynomial(degree, parity);
    found->second = {plan.depth, plan.products()};
  }
  return found->second;
}

// Products of one polynomial evenly over the levels that it passes.
double polynomial_seconds(const HeCosts& costs, int degree, circuits::Parity parity, int level) {
  if (degree < 2) return 0;
  const auto [depth, products] = depth_and_products(degree, parity);
  double sum = 0;
  for (int k = 0; k < depth; ++k) sum += costs.product(level - k);
  return sum * products / depth;
}

// What key switching with digits of nine primes costs in transforms: every digit is extended to all primes, and two
// polynomials are transformed back.
double transforms(int primes) {
  constexpr int kDigit = 9;
  const int digits = (primes + kDigit - 1) / kDigit;
  return static_cast<double>(digits * (primes + kDigit) + 2 * primes);
}

}  // namespace

CostTable default_costs(double bootstrap_seconds) {
  // bench/ckks at N = 65536: 51 ms a rotation and 56 ms a product of 28 primes; 0.11 ms a diagonal and prime at N = 32768,
  // twice that here; 6.2 s of 8.8 s of a bootstrap to 12 levels are CoefficientsToSlots, 1.95 s the reduction modulo 1.
  constexpr int kLevels = 15, kBelow = 4, kModDepth = 8, kUpDepth = 3, kMeasuredPrimes = 28,
                kMeasuredLevel = 12;
  constexpr double kRotation = 0.051, kProduct = 0.056, kDiagonal = 2.2e-4;
  constexpr double kUp = 6.2 / 8.8, kMod = 1.95 / 8.8, kDown = 1 - kUp - kMod;
  CostTable table;
  table.slot_count = 1 << 15;
  for (int level = 0; level <= kLevels; ++level) {
    const int primes = level + kBelow;
    const double size = transforms(primes) / transforms(kMeasuredPrimes);
    table.rotations.push_back(kRotation * size);
    table.products.push_back(kProduct * size);
    table.diagonals.push_back(kDiagonal * primes);
    const auto part = [&](int above) {
      return transforms(primes + above) / transforms(kMeasuredLevel + kBelow + above);
    };
    table.bootstraps.push_back(bootstrap_seconds *
                               (kDown + kMod * part(kModDepth / 2) + kUp * part(kModDepth + kUpDepth)));
  }
  return table;
}

double ciphertexts(const nn::Graph& graph, int node, std::size_t slots) {
  const auto size = static_cast<double>(graph.nodes[at(node)].shape.size());
  return std::max(1.0, std::ceil(size / static_cast<double>(slots)));
}

LinearWork linear_work(const nn::Graph& graph, int node, std::size_t slots) {
  const nn::Node& n = graph.nodes[at(node)];
  const nn::Shape& in = graph.nodes[at(n.inputs[0])].shape;
  const double from = ciphertexts(graph, n.inputs[0], slots), to = ciphertexts(graph, node, slots);
  double diagonals = 0;  // of one pair of ciphertexts
  if (const auto* conv = std::get_if<nn::ConvOp>(&n.op)) {
    // One a tap and difference of channels that share a ciphertext.
    const double taps = static_cast<double>(conv->window.kernel_h) * conv->window.kernel_w;
    diagonals = taps * std::ceil(std::max(in.c / from, n.shape.c / to) / conv->groups);
  } else if (std::holds_alternative<nn::FullyConnectedOp>(n.op)) {
    diagonals = std::min<double>(n.shape.c, static_cast<double>(in.size()));
  } else if (const auto* pool = std::get_if<nn::AveragePoolOp>(&n.op)) {
    // Sums by doublings.
    const double values = static_cast<double>(pool->window.kernel_h) * pool->window.kernel_w;
    return {from * std::ceil(std::log2(std::max(1.0, values))), 0};
  } else if (std::holds_alternative<nn::AffineOp>(n.op)) {
    return {0, to};
  } else if (std::holds_alternative<nn::GatherOp>(n.op)) {
    if (plan::levels_of(graph, node) == 0) return {};
    diagonals = std::max(1.0, std::ceil(std::sqrt(n.shape.c)));
  } else {
    return {};
  }
  // sqrt(1.8 D) baby steps for every input and sqrt(D / 1.8) giant steps, which cost 1.8 as much, for every output.
  return {(from + to) * std::sqrt(1.8 * diagonals), from * to * diagonals};
}

double HeCosts::node(const nn::Graph& graph, int node, int level) const {
  const nn::Op& op = graph.nodes[at(node)].op;
  if (std::holds_alternative<nn::QuadraticOp>(op) || std::holds_alternative<nn::ProductOp>(op))
    return ciphertexts(graph, node, slots()) * product(level);
  const LinearWork work = linear_work(graph, node, slots());
  return work.rotations * rotation(level) + work.diagonals * diagonal(level);
}

double activation_seconds(const HeCosts& costs, const plan::ApproximateActivation& activation, int level) {
  AP_ASSERT(level >= activation.depth);
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&activation.function)) {
    // x / 2 and an even part are evaluated apart (plan::split_linear).
    const circuits::ChebyshevSeries rest = plan::split_linear(*series).rest;
    const circuits::Parity parity =
        rest.parity() == circuits::Parity::even ? circuits::Parity::even : circuits::Parity::general;
    const int degree = series->degree();
    return polynomial_seconds(costs, parity == circuits::Parity::even ? rest.degree() : degree, parity,
                              level);
  }
  double sum = 0;
  for (const circuits::ChebyshevSeries& stage :
       std::get<plan::CompositeRelu>(activation.function).sign.stages) {
    sum += polynomial_seconds(costs, stage.degree(), circuits::Parity::odd, level);
    level -= circuits::polynomial_depth(stage.degree());
  }
  return sum + costs.product(level);
}

}  // namespace ap::degrees

#include "plan/primes.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"
#include "plan/moduli.h"
#include "ring/primes.h"

namespace ap::plan {
namespace {

class UnionFind {
 public:
  explicit UnionFind(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }
  int find(int x) {
    while (parent(x) != x) x = parent(x) = parent(parent(x));
    return x;
  }
  void join(int x, int y) { parent(find(x)) = find(y); }

 private:
  int& parent(int x) { return parent_[static_cast<std::size_t>(x)]; }
  std::vector<int> parent_;
};

std::int64_t magnitude(std::int64_t low, std::int64_t high) { return std::max(-low, high); }

/// Of the input of an activation: it is rounded, and its lower bound subtracted, before it is truncated.
std::int64_t magnitude_before(const nn::QActivation& op, const nn::Interval& range) {
  const std::int64_t step = std::int64_t{1} << op.shift;
  const std::int64_t added = step / 2 - op.low * step;
  return magnitude(range.low + std::min<std::int64_t>(added, 0),
                   range.high + std::max<std::int64_t>(added, 0));
}

}  // namespace

std::vector<PrimeComponent> prime_components(const nn::QuantisedNetwork& network,
                                             std::span<const nn::Interval> ranges) {
  const auto& nodes = network.nodes;
  UnionFind sets(nodes.size());
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (std::holds_alternative<nn::QQuadratic>(nodes[i].op)) {
      fail_input(
          "layer {} is a quadratic activation, which the published baselines do not share modulo a prime; "
          "use ReLU or Clip there",
          nodes[i].name);
    }
    if (std::holds_alternative<nn::QTable>(nodes[i].op) ||
        std::holds_alternative<nn::QProduct>(nodes[i].op)) {
      fail_input(
          "layer {} is a {} activation, which the published baselines do not share modulo a prime; use ReLU or Clip "
          "there, or another policy",
          nodes[i].name, nn::op_name(nodes[i].op));
    }
    if (std::holds_alternative<nn::QActivation>(nodes[i].op)) continue;
    for (const int input : nodes[i].inputs) sets.join(static_cast<int>(i), input);
  }
  std::vector<int> index(nodes.size(), -1);
  std::vector<PrimeComponent> components;
  const auto of = [&](int node) -> PrimeComponent& {
    int& at = index[static_cast<std::size_t>(sets.find(node))];
    if (at < 0) {
      at = static_cast<int>(components.size());
      components.emplace_back();
    }
    return components[static_cast<std::size_t>(at)];
  };
  const auto need = [&](int node, std::int64_t bound) {
    PrimeComponent& component = of(node);
    if (bound <= component.bound) return;
    component.bound = bound;
    component.widest = node;
  };
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    const nn::QNode& node = nodes[static_cast<std::size_t>(i)];
    of(i).nodes.push_back(i);
    if (std::holds_alternative<nn::QLinear>(node.op)) of(i).linears.push_back(i);
    const nn::Interval& range = ranges[static_cast<std::size_t>(i)];
    if (i == 0 || i + 1 == static_cast<int>(nodes.size())) need(i, magnitude(range.low, range.high));
    if (const auto* op = std::get_if<nn::QActivation>(&node.op)) {
      // The circuit hands out the value above the lower bound, and needs two bits above the shift.
      const std::int64_t highest = (std::int64_t{1} << op->bits) - 1;
      need(i, std::max(magnitude(op->low, op->low + highest), highest));
      const int input = node.inputs.front();
      need(input, std::max(magnitude_before(*op, ranges[static_cast<std::size_t>(input)]),
                           std::int64_t{1} << (op->shift + 1)));
    }
  }
  return components;
}

std::uint64_t smallest_prime(std::int64_t bound, std::uint32_t n) {
  AP_ASSERT(bound >= 0 && std::has_single_bit(n));
  const std::uint64_t step = 2 * static_cast<std::uint64_t>(n);
  const std::uint64_t least = std::max<std::uint64_t>(2 * static_cast<std::uint64_t>(bound) + 1, 4097);
  for (std::uint64_t p = (least + step - 2) / step * step + 1; p < std::uint64_t{1} << kMaxModulusBits;
       p += step) {
    if (ring::is_prime(p)) return p;
  }
  fail_input("values up to {} need a prime of more than the {} bits supported; quantise with fewer bits",
             bound, kMaxModulusBits);
}

}  // namespace ap::plan

// A plan whose linear layers are packed for SIMD, made by hand for any network: the nodes between activations
// have a prime of their own each time, and the layers take turns with the methods.
#pragma once

#include <bit>
#include <map>
#include <numeric>

#include "plan/plan.h"

namespace ap::protocol::test {

struct SimdPlanOptions {
  std::uint32_t n = 2048;
  int prime_bits = 22;
  int flood_bits = 45;
  std::vector<bool> simd;  ///< by component of nodes that activations do not separate; empty: all
};

/// For each node the number of its component.
inline std::vector<std::size_t> components_of(const nn::QuantisedNetwork& network) {
  std::vector<std::size_t> of(network.nodes.size());
  std::iota(of.begin(), of.end(), std::size_t{0});
  for (std::size_t round = 0; round < of.size(); ++round) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (std::holds_alternative<nn::QActivation>(network.nodes[i].op)) continue;
      for (const int input : network.nodes[i].inputs) {
        auto& other = of[static_cast<std::size_t>(input)];
        of[i] = other = std::min(of[i], other);
      }
    }
  }
  std::map<std::size_t, std::size_t> numbers;
  for (const std::size_t c : of) numbers.emplace(c, 0);
  std::size_t next = 0;
  for (auto& [component, number] : numbers) number = next++;
  for (std::size_t& c : of) c = numbers[c];
  return of;
}

/// Layers of components that are not simd stay as `coefficients` has them, a plan for the same network.
inline plan::Plan simd_plan(const nn::QuantisedNetwork& network, const plan::Plan& coefficients,
                            const SimdPlanOptions& options = {}) {
  const std::vector<std::size_t> component = components_of(network);
  const std::size_t count = *std::max_element(component.begin(), component.end()) + 1;
  const auto is_simd = [&](std::size_t c) { return options.simd.empty() || options.simd[c]; };
  plan::Plan plan = coefficients;
  plan.policy = "by hand";
  plan.primes.assign(network.nodes.size(), 0);
  const std::vector<std::uint64_t> primes = bfv::batch_primes(options.prime_bits, options.n, count);
  std::vector<int> group(count, -1);
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const std::size_t c = component[i];
    if (!is_simd(c)) continue;
    plan.primes[i] = primes[c];
    plan.modulus_bits[i] = options.prime_bits;
    if (group[c] >= 0) continue;
    group[c] = static_cast<int>(plan.batch_groups.size());
    plan.batch_groups.push_back(
        {{options.n, bfv::batch_primes(36, options.n, 3), bfv::batch_primes(37, options.n, 1), 0},
         {primes[c]},
         false});
  }
  std::vector<int> used(plan.groups.size(), -1);
  std::vector<bfv::Parameters> groups;
  int turn = 0;
  for (plan::LinearChoice& choice : plan.linears) {
    const std::size_t c = component[static_cast<std::size_t>(choice.node)];
    if (!is_simd(c)) {
      int& at = used[static_cast<std::size_t>(choice.group)];
      if (at < 0) {
        at = static_cast<int>(groups.size());
        groups.push_back(plan.groups[static_cast<std::size_t>(choice.group)]);
      }
      choice.group = at;
      continue;
    }
    plan::SimdChoice simd;
    simd.conv = static_cast<linear::SimdConvMethod>(turn % 4);
    simd.fc = static_cast<linear::SimdFcMethod>(turn % 4);
    simd.flood_bits = options.flood_bits;
    simd.reply_level = 1 + turn % 2;
    ++turn;
    choice.packing = simd;
    choice.error_std = 0;
    choice.group = group[c];
    choice.log2_p = options.prime_bits;
  }
  plan.groups = groups;
  for (plan::ActivationChoice& choice : plan.activations) {
    const auto node = static_cast<std::size_t>(choice.node);
    const auto input = static_cast<std::size_t>(network.nodes[node].inputs.front());
    if (plan.primes[input] != 0) {
      choice.truncation.guard_bits = choice.truncation.shift;
      choice.truncation.sum_bits = options.prime_bits - choice.truncation.shift;
    }
    choice.out_bits = plan.modulus_bits[node];
  }
  plan::validate(plan, network);
  return plan;
}

}  // namespace ap::protocol::test

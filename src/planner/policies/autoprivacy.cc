// Policy `autoprivacy`: AutoPrivacy's parameters layer by layer.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/parallel.h"
#include "plan/moduli.h"
#include "plan/primes.h"
#include "planner/policies/baselines.h"
#include "planner/spaces/assemble.h"
#include "planner/spaces/assemble_simd.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

using Layers = std::vector<SimdCandidate>;

double total_price(const Layers& layers, double bytes_per_second) {
  double sum = 0;
  for (const SimdCandidate& c : layers) sum += price_of(c, bytes_per_second);
  return sum;
}

/// One component under the best of the primes that its layers could share.
struct ComponentChoice {
  std::uint64_t p = 0;
  Layers layers;
};

ComponentChoice choose_component(const nn::QuantisedNetwork& network, const PrimeComponent& component,
                                 std::span<const double> der_log2, const SimdOptions& simd,
                                 double bytes_per_second) {
  std::vector<std::vector<SimdVariant>> variants;
  for (const int node : component.linears) {
    variants.push_back(simd_variants(network.nodes[static_cast<std::size_t>(node)], simd));
  }
  ComponentChoice best;
  double best_price = 0;
  for (const std::uint32_t widest : simd.degrees) {
    ComponentChoice choice{smallest_prime(component.bound, widest), {}};
    if (choice.p == best.p) continue;
    for (std::size_t i = 0; i < component.linears.size(); ++i) {
      const std::vector<SimdCandidate> all = simd_candidates(variants[i], choice.p, der_log2[i], simd);
      if (all.empty()) break;
      choice.layers.push_back(*std::ranges::min_element(
          all, {}, [&](const SimdCandidate& c) { return price_of(c, bytes_per_second); }));
    }
    if (choice.layers.size() < component.linears.size()) continue;
    const double price = total_price(choice.layers, bytes_per_second);
    if (best.p == 0 || price < best_price) {
      best = std::move(choice);
      best_price = price;
    }
    if (component.linears.empty()) break;
  }
  if (best.p == 0) {
    fail_input(
        "layer {} takes values up to {} and fits no parameters for batching at {} bits of security; quantise "
        "with fewer bits or use --policy exact",
        network.nodes[static_cast<std::size_t>(component.widest)].name, component.bound,
        security::kTargetBits);
  }
  return best;
}

/// Components whose values need equally many bits share a prime: circuits cost the same, and layers with the
/// same parameters share their rotation keys.
void share_primes(std::vector<PrimeComponent>& components) {
  std::map<int, std::int64_t> largest;
  const auto bits = [](const PrimeComponent& c) {
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(c.bound)));
  };
  for (const PrimeComponent& c : components) largest[bits(c)] = std::max(largest[bits(c)], c.bound);
  for (PrimeComponent& c : components) c.bound = largest[bits(c)];
}

/// Layers that differ in q by a few bits of equally many primes take the largest of these q, for the same
/// reason.
void share_parameters(const nn::QuantisedNetwork& network, const std::vector<int>& linears,
                      std::span<const double> der_log2, const SimdOptions& simd, Layers& layers) {
  using Key = std::tuple<std::uint32_t, std::uint64_t, std::size_t, std::size_t>;
  std::map<Key, bfv::BatchParameters> largest;
  const auto key = [](const bfv::BatchParameters& p) {
    return Key(p.n, p.p(), p.data_primes.size(), p.special_primes.size());
  };
  for (const SimdCandidate& c : layers) {
    bfv::BatchParameters& held = largest[key(c.parameters)];
    if (held.n == 0 || held.log2_q() < c.parameters.log2_q()) held = c.parameters;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bfv::BatchParameters& shared = largest[key(layers[i].parameters)];
    if (shared == layers[i].parameters) continue;
    const nn::QNode& node = network.nodes[static_cast<std::size_t>(linears[i])];
    const SimdChoice& method = *layers[i].choice.simd();
    const linear::SimdPacking packing(linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c),
                                      method.conv, method.fc, shared.n);
    const SimdLayer layer = linear::simd_layer(packing);
    // Larger digits of the same primes may leave less room after all.
    auto c = with_parameters(layer, method, shared, der_log2[i], simd);
    if (c) layers[i] = std::move(*c);
  }
}

}  // namespace

Plan select_autoprivacy(const nn::QuantisedNetwork& network, std::span<const double> der_log2,
                        const BaselineOptions& options) {
  const std::vector<int> linears = linear_nodes(network);
  if (der_log2.size() != linears.size()) {
    fail_input("{} decryption-error rates were given for {} linear layers", der_log2.size(), linears.size());
  }
  const auto position = [&](int node) {
    return static_cast<std::size_t>(std::ranges::lower_bound(linears, node) - linears.begin());
  };
  SimdOptions simd;
  simd.costs = options.profile.simd;
  simd.statistical_bits = options.statistical_bits;
  simd.layers = static_cast<double>(linears.size());
  for (std::size_t i = 0; i < linears.size(); ++i) {
    if (!(der_log2[i] < 0 && der_log2[i] >= -1000)) {
      fail_input("the decryption-error rate of layer {} is 2^{}, outside 2^-1000..1",
                 network.nodes[static_cast<std::size_t>(linears[i])].name, der_log2[i]);
    }
  }
  std::vector<PrimeComponent> components = prime_components(network, exact_ranges(network));
  share_primes(components);
  std::vector<ComponentChoice> chosen(components.size());
  parallel_for(components.size(), [&](std::size_t k) {
    std::vector<double> der;
    for (const int node : components[k].linears) der.push_back(der_log2[position(node)]);
    chosen[k] = choose_component(network, components[k], der, simd, options.bytes_per_second);
  });
  std::vector<std::uint64_t> primes(network.nodes.size());
  Layers layers(linears.size());
  for (std::size_t k = 0; k < components.size(); ++k) {
    for (const int node : components[k].nodes) primes[static_cast<std::size_t>(node)] = chosen[k].p;
    for (std::size_t i = 0; i < chosen[k].layers.size(); ++i) {
      layers[position(components[k].linears[i])] = std::move(chosen[k].layers[i]);
    }
  }
  share_parameters(network, linears, der_log2, simd, layers);
  Plan plan = assemble_simd(network, "autoprivacy", 0, std::move(primes), layers, options.profile);
  plan.notes.push_back(
      fmt::format("replies are flooded for 2^-{} of statistical distance, added to each layer's q; the paper "
                  "takes errors from one parameter set and time from another",
                  options.statistical_bits));
  plan.notes.push_back(
      "with flooding a decryption-error rate hardly changes q: failures begin where the flooding itself ends");
  return plan;
}

}  // namespace ap::plan

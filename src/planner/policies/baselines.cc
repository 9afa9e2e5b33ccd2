#include "planner/policies/baselines.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "plan/moduli.h"
#include "plan/primes.h"
#include "planner/spaces/assemble.h"
#include "planner/spaces/assemble_simd.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

constexpr std::uint32_t kPublishedDegree = 8192;
constexpr std::uint32_t kDegrees[] = {8192, 16384, 32768};
// What a plan states at most; more is as good as perfect.
constexpr int kMaxStatisticalBits = 128;
constexpr int kDelphiPrimeBits = 22, kDelphiBits = 180, kDarlPrimeBits = 14, kDarlBits = 165;

linear::Geometry geometry_of(const nn::QNode& node) {
  return linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c);
}

int bits_of(std::uint64_t x) { return static_cast<int>(std::bit_width(x)); }

/// What one published system fixes.
struct Published {
  const char* name;
  int prime_bits, log2_q;
  bool smallest_prime;  ///< p as small as the network allows, or of exactly the published size
  std::vector<linear::SimdConvMethod> methods;
};

/// One prime for the whole network, and the node that decides it.
struct Bound {
  std::int64_t bound = 0;
  int node = 0;
};

Bound bound_of(const nn::QuantisedNetwork& network) {
  Bound all;
  for (const PrimeComponent& component : prime_components(network, exact_ranges(network))) {
    if (component.bound > all.bound) all = {component.bound, component.widest};
  }
  return all;
}

std::uint64_t choose_prime(const Published& published, const Bound& bound, std::uint32_t n) {
  const std::uint64_t smallest = smallest_prime(bound.bound, n);
  if (published.smallest_prime || bits_of(smallest) > published.prime_bits) return smallest;
  const auto largest = bfv::batch_primes(published.prime_bits, n, 1);
  return largest.front();
}

/// Every layer of a network under one parameter set.
using Layers = std::vector<SimdCandidate>;

/// The layers by their cheapest methods; nothing if one of them fails too often.
std::optional<Layers> run_all(const nn::QuantisedNetwork& network,
                              const std::vector<std::vector<SimdLayer>>& layers,
                              const std::vector<SimdChoice>& methods, const bfv::BatchParameters& parameters,
                              double der_log2, const SimdOptions& simd, double bytes_per_second) {
  Layers chosen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::optional<SimdCandidate> best;
    for (std::size_t m = 0; m < methods.size(); ++m) {
      auto c = with_parameters(layers[i][m], methods[m], parameters, der_log2, simd);
      if (c && (!best || price_of(*c, bytes_per_second) < price_of(*best, bytes_per_second)))
        best = std::move(c);
    }
    if (!best) return std::nullopt;
    chosen.push_back(std::move(*best));
  }
  AP_ASSERT(chosen.size() == linear_nodes(network).size());
  return chosen;
}

double total_price(const Layers& layers, double bytes_per_second) {
  double sum = 0;
  for (const SimdCandidate& c : layers) sum += price_of(c, bytes_per_second);
  return sum;
}

/// One network in one degree.
class Selection {
 public:
  /// Nothing if some layer does not fit the degree.
  static std::optional<Selection> if_fits(const nn::QuantisedNetwork& network, const Published& published,
                                          std::uint32_t n, std::uint64_t p, const BaselineOptions& options) {
    Selection selection(network, n, p, options);
    for (const linear::SimdConvMethod method : published.methods) {
      selection.methods_.push_back({});
      selection.methods_.back().conv = method;
      selection.methods_.back().statistical_bits = options.statistical_bits;
    }
    const std::vector<int> linears = linear_nodes(network);
    std::vector<std::vector<SimdLayer>>& layers = selection.layers_;
    layers.resize(linears.size());
    parallel_for(linears.size(), [&](std::size_t i) {
      const linear::Geometry geometry = geometry_of(network.nodes[static_cast<std::size_t>(linears[i])]);
      for (const SimdChoice& method : selection.methods_) {
        const auto packing = linear::SimdPacking::if_fits(geometry, method.conv, method.fc, n);
        if (packing) layers[i].push_back(linear::simd_layer(*packing));
      }
    });
    for (const std::vector<SimdLayer>& layer : layers) {
      if (layer.size() < selection.methods_.size()) return std::nullopt;
      selection.replies_ += static_cast<double>(layer[0].counts.replies);
    }
    selection.simd_.costs = options.profile.simd;
    selection.simd_.layers = static_cast<double>(linears.size());
    return selection;
  }

  /// The cheapest gadget for q of this many bits; nothing if it does not decrypt or is not secure.
  std::optional<Layers> with_bits(int bits) const {
    std::optional<Layers> best;
    const int limit = security::max_log2_q(n_), primes = (bits + 49) / 50;
    for (const int special : {0, std::min((bits + primes - 1) / primes, limit - bits)}) {
      auto layers = with(bits, special);
      if (layers && (!best || total_price(*layers, options_.bytes_per_second) <
                                  total_price(*best, options_.bytes_per_second)))
        best = std::move(layers);
    }
    return best;
  }
  std::optional<Layers> with(int bits, int special_bits) const {
    const auto parameters = simd_parameters(n_, p_, bits, special_bits);
    if (!parameters) return std::nullopt;
    return run_all(network_, layers_, methods_, *parameters,
                   options_.target_failure_log2 - std::log2(replies_), simd_, options_.bytes_per_second);
  }
  /// The smallest q from `bits` on.
  std::optional<Layers> from(int bits) const {
    for (const int limit = security::max_log2_q(n_); bits <= limit; ++bits) {
      if (auto layers = with_bits(bits)) return layers;
    }
    return std::nullopt;
  }
  double replies() const { return replies_; }

 private:
  Selection(const nn::QuantisedNetwork& network, std::uint32_t n, std::uint64_t p,
            const BaselineOptions& options)
      : network_(network), options_(options), n_(n), p_(p) {}
  const nn::QuantisedNetwork& network_;
  const BaselineOptions& options_;
  std::uint32_t n_;
  std::uint64_t p_;
  std::vector<SimdChoice> methods_;
  std::vector<std::vector<SimdLayer>> layers_;  ///< [layer][method]
  double replies_ = 0;
  SimdOptions simd_;
};

void note_prime(const nn::QuantisedNetwork& network, const Published& published, const Bound& bound,
                std::uint64_t p, std::uint32_t n, Plan& plan) {
  const int bits = bits_of(p);
  if (bits == published.prime_bits) return;
  const std::string& layer = network.nodes[static_cast<std::size_t>(bound.node)].name;
  const std::uint64_t needed = 2 * static_cast<std::uint64_t>(bound.bound) + 1;
  if (bits > published.prime_bits && bits_of(needed) <= published.prime_bits) {
    plan.notes.push_back(fmt::format("p has {} bits instead of {}: no smaller prime above {} is 1 modulo {}",
                                     bits, published.prime_bits, needed, 2 * n));
    return;
  }
  plan.notes.push_back(fmt::format(
      "p has {} bits instead of {}: layer {} accumulates up to {}, and values up to half of p do not wrap",
      bits, published.prime_bits, layer, bound.bound));
}

void note_set(const Published& published, const bfv::BatchParameters& set, Plan& plan) {
  if (set.n != kPublishedDegree) {
    plan.notes.push_back(
        fmt::format("N is {} instead of {}: no set of the smaller degree is "
                    "secure, decrypts and holds every layer's map",
                    set.n, kPublishedDegree));
  }
  if (std::abs(set.log2_q() - published.log2_q) > 1) {
    plan.notes.push_back(fmt::format("q has {:.0f} bits instead of {}", set.log2_q(), published.log2_q));
  }
  const double special = set.log2_qp() - set.log2_q();
  if (special > 0) {
    plan.notes.push_back(
        fmt::format("rotation keys have a special prime of {:.0f} bits besides q: the security estimate "
                    "counts {:.0f} bits",
                    special, set.log2_qp()));
  } else {
    plan.notes.push_back("rotation keys have no special prime: their noise fits q without one");
  }
}

Plan finish(const nn::QuantisedNetwork& network, const Published& published, const BaselineOptions& options,
            std::uint64_t p, const Bound& bound, const Layers& layers) {
  const std::vector<std::uint64_t> primes(network.nodes.size(), p);
  Plan plan =
      assemble_simd(network, published.name, options.target_failure_log2, primes, layers, options.profile);
  note_prime(network, published, bound, p, layers[0].parameters.n, plan);
  return plan;
}

[[noreturn]] void fail_nothing_fits(const char* policy, const Bound& bound) {
  fail_input(
      "policy {} found no single parameter set of up to {} slots that holds every layer's map and values up "
      "to {} at {} bits of security; quantise with fewer bits or use --policy exact",
      policy, std::end(kDegrees)[-1], bound.bound, security::kTargetBits);
}

}  // namespace

Plan select_delphi(const nn::QuantisedNetwork& network, const BaselineOptions& options) {
  const Published published{
      "delphi", kDelphiPrimeBits, kDelphiBits, false, {linear::SimdConvMethod::shifted_copies}};
  const Bound bound = bound_of(network);
  for (const std::uint32_t n : kDegrees) {
    const std::uint64_t p = choose_prime(published, bound, n);
    const auto selection = Selection::if_fits(network, published, n, p, options);
    if (!selection) continue;
    // Its code has a special prime; under 8192 slots and 180 bits there is room for 34 bits.
    const int special = std::min(45, security::max_log2_q(n) - kDelphiBits);
    auto layers = selection->with(kDelphiBits, special);
    if (!layers) layers = selection->from(kDelphiBits);
    if (!layers) continue;
    Plan plan = finish(network, published, options, p, bound, *layers);
    note_set(published, layers->front().parameters, plan);
    plan.notes.push_back(
        "sums over input ciphertexts are taken before rotations, which DELPHI's code rotates one by one");
    plan.notes.push_back(
        fmt::format("replies are flooded for 2^-{} of statistical distance, which DELPHI's "
                    "paper asks for and its code leaves out",
                    options.statistical_bits));
    return plan;
  }
  fail_nothing_fits("delphi", bound);
}

namespace {

/// AutoPrivacy's rule of thumb: 4 N and 3 log2 q, all of it spent on flooding.
Plan darl_by_rule(const nn::QuantisedNetwork& network, const Published& published, const Bound& bound,
                  BaselineOptions options) {
  constexpr std::uint32_t n = 4 * kPublishedDegree;
  const std::uint64_t p = choose_prime(published, bound, n);
  Published rule = published;
  rule.log2_q *= 3;
  const int special = (rule.log2_q + 9) / 10;
  // Each statistical bit is one bit of flooding: one try tells how many fit.
  options.statistical_bits = 1;
  for (int tries = 0; tries < 2; ++tries) {
    const auto selection = Selection::if_fits(network, rule, n, p, options);
    const auto layers = selection ? selection->with(rule.log2_q, special) : std::nullopt;
    if (!layers) break;
    if (tries == 0) {
      int most = 0;
      for (const SimdCandidate& c : *layers) most = std::max(most, c.choice.simd()->flood_bits);
      const bfv::BatchParameters& set = layers->front().parameters;
      options.statistical_bits += static_cast<int>(set.log2_q() - set.log2_p()) - 2 - most;
      continue;
    }
    auto flooded = *layers;
    for (SimdCandidate& c : flooded)
      c.choice.simd()->statistical_bits = std::min(options.statistical_bits, kMaxStatisticalBits);
    Plan plan = finish(network, published, options, p, bound, flooded);
    plan.notes.push_back(fmt::format(
        "N is {} instead of {} and q has {} bits instead of {} by the rule of thumb for flooding, which is "
        "worth 2^-{} of statistical distance; 40 bits are enough",
        n, kPublishedDegree, rule.log2_q, published.log2_q, options.statistical_bits));
    return plan;
  }
  fail_nothing_fits("darl --flooding-by-rule", bound);
}

}  // namespace

Plan select_darl(const nn::QuantisedNetwork& network, const BaselineOptions& options) {
  const Published published{
      "darl",
      kDarlPrimeBits,
      kDarlBits,
      true,
      {linear::SimdConvMethod::shifted_copies, linear::SimdConvMethod::output_rotation}};
  const Bound bound = bound_of(network);
  if (options.flooding_by_rule) return darl_by_rule(network, published, bound, options);
  for (const std::uint32_t n : kDegrees) {
    const std::uint64_t p = choose_prime(published, bound, n);
    const auto selection = Selection::if_fits(network, published, n, p, options);
    if (!selection) continue;
    const auto tight = selection->from(2 * bits_of(p) + options.statistical_bits);
    if (!tight) continue;
    auto layers = options.tight ? tight : selection->with_bits(kDarlBits);
    if (!layers) layers = tight;
    Plan plan = finish(network, published, options, p, bound, *layers);
    note_set(published, layers->front().parameters, plan);
    const double needed = tight->front().parameters.log2_q();
    if (!options.tight && needed < kDarlBits - 1) {
      plan.notes.push_back(fmt::format("the noise of this network would fit q of {:.0f} bits", needed));
    }
    return plan;
  }
  fail_nothing_fits("darl", bound);
}

}  // namespace ap::plan

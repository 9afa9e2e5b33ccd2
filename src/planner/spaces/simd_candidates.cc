#include "planner/spaces/simd_candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "base/error.h"
#include "he/bfv/batch_noise.h"
#include "layers/linear/simd/noise.h"
#include "plan/primes.h"
#include "security/limits.h"

namespace ap::plan {
namespace {

// IFMA kernels hold primes up to this size.
constexpr int kMaxPrimeBits = 50;
constexpr int kMinPrimeBits = 20;
// Rates below 2^kNever are not told apart.
constexpr double kNever = -1000;

linear::Geometry geometry_of(const nn::QNode& node) {
  const auto* op = std::get_if<nn::QLinear>(&node.op);
  AP_ASSERT(op != nullptr);
  return linear::geometry_of(*op, node.shape.c);
}

double polynomial_bytes(std::uint32_t n, std::span<const std::uint64_t> primes) {
  double bytes = 0;
  for (const std::uint64_t prime : primes) bytes += std::ceil(n * std::bit_width(prime) / 8.0);
  return bytes;
}

constexpr double kSeedBytes = 32;

bool usable(std::uint32_t n, std::uint64_t p) { return p % (2 * std::uint64_t{n}) == 1; }

/// The methods that may be cheapest: input rotations never are (reference: GAZELLE, section 4).
std::vector<SimdChoice> methods(const linear::Geometry& geometry, int statistical_bits) {
  SimdChoice copies, rotations;
  copies.statistical_bits = rotations.statistical_bits = statistical_bits;
  if (linear::is_matrix(geometry)) return {copies};
  rotations.conv = linear::SimdConvMethod::output_rotation;
  // Without taps to shift by, the two are the same.
  if (geometry.window.kernel_h * geometry.window.kernel_w == 1) return {copies};
  return {copies, rotations};
}

/// The smallest modulus with this gadget.
std::optional<SimdCandidate> smallest(const SimdVariant& variant, std::uint64_t p, bool special,
                                      double der_log2, const SimdOptions& options) {
  const std::uint32_t n = variant.n;
  const int limit = security::max_log2_q(n);
  // From where flooding hides the products alone; key switches add the rest.
  const double log2_p = std::log2(static_cast<double>(p));
  double products = 1;
  for (const linear::SimdTerms& t : variant.layer.terms)
    products = std::max(products, static_cast<double>(t.products));
  const double log2_noise = 0.5 * std::log2(products * bfv::fresh_variance() * n / 12) + log2_p;
  const double replies = static_cast<double>(variant.layer.counts.replies) * options.layers;
  const int least =
      static_cast<int>(log2_noise + std::log2(n * replies) + options.statistical_bits + log2_p) - 1;
  for (int bits = least; bits <= limit; ++bits) {
    int special_bits = 0;
    if (special) {
      const int primes = (bits + kMaxPrimeBits - 1) / kMaxPrimeBits;
      special_bits = std::min((bits + primes - 1) / primes, limit - bits);
      if (special_bits < kMinPrimeBits) return std::nullopt;
    }
    const auto parameters = simd_parameters(n, p, bits, special_bits);
    if (!parameters) continue;
    if (auto found = with_parameters(variant.layer, variant.method, *parameters, der_log2, options))
      return found;
  }
  return std::nullopt;
}

}  // namespace

void price_simd(const SimdLayer& layer, const bfv::BatchParameters& parameters, const SimdUnitCosts& costs,
                LinearChoice& choice) {
  const auto level = static_cast<double>(choice.simd()->reply_level);
  const auto uploads = static_cast<double>(layer.counts.uploads);
  const auto replies = static_cast<double>(layer.counts.replies);
  const cost::SimdSeconds seconds =
      cost::simd_seconds(layer.counts, cost::ring_of(parameters), choice.simd()->reply_level, costs);
  choice.predicted_s = seconds.client + seconds.server;
  const std::span<const std::uint64_t> primes(parameters.data_primes);
  choice.predicted_bytes = static_cast<std::uint64_t>(
      uploads * (kSeedBytes + polynomial_bytes(parameters.n, primes)) +
      replies * 2 * polynomial_bytes(parameters.n, primes.first(static_cast<std::size_t>(level))));
}

KeyPrice price_keys(const bfv::BatchParameters& parameters, std::size_t rotations, bool public_key,
                    const SimdUnitCosts& costs) {
  const cost::SimdRing ring = cost::ring_of(parameters);
  const auto count = static_cast<double>(rotations);
  const double data_bytes = polynomial_bytes(parameters.n, parameters.data_primes);
  const double all_bytes = data_bytes + polynomial_bytes(parameters.n, parameters.special_primes);
  const double bytes =
      count * (kSeedBytes + ring.digits * all_bytes) + (public_key ? kSeedBytes + data_bytes : 0);
  const cost::SimdSeconds seconds = cost::simd_key_seconds(ring, rotations, public_key, costs);
  return {seconds.client + seconds.server, static_cast<std::uint64_t>(bytes)};
}

std::optional<bfv::BatchParameters> simd_parameters(std::uint32_t n, std::uint64_t p, int bits,
                                                    int special_bits) {
  const int count = (bits + kMaxPrimeBits - 1) / kMaxPrimeBits;
  bfv::BatchParameters parameters;
  parameters.n = n;
  parameters.plain_primes = {p};
  std::vector<std::uint64_t> taken = {p};
  const auto take = [&](int size) -> std::optional<std::uint64_t> {
    if (size < kMinPrimeBits || size > kMaxPrimeBits) return std::nullopt;
    const std::vector<std::uint64_t> free = bfv::free_batch_primes(size, n, 1, taken);
    if (free.empty()) return std::nullopt;
    taken.push_back(free.front());
    return taken.back();
  };
  // The larger ones first: replies keep the first.
  for (int i = 0; i < count; ++i) {
    const auto prime = take(bits / count + (i < bits % count ? 1 : 0));
    if (!prime) return std::nullopt;
    parameters.data_primes.push_back(*prime);
  }
  if (special_bits > 0) {
    const auto prime = take(special_bits);
    if (!prime) return std::nullopt;
    parameters.special_primes.push_back(*prime);
  }
  if (parameters.log2_q() < parameters.log2_p() + 2) return std::nullopt;
  return parameters;
}

std::optional<SimdCandidate> with_parameters(const SimdLayer& layer, const SimdChoice& method,
                                             const bfv::BatchParameters& parameters, double der_log2,
                                             const SimdOptions& options) {
  if (parameters.log2_qp() > security::max_log2_q(parameters.n)) return std::nullopt;
  const noise::SimdNoise noise = noise::worst_noise(layer.terms, parameters);
  SimdCandidate c;
  c.parameters = parameters;
  c.choice.packing = method;
  c.choice.log2_p = std::bit_width(parameters.p());
  SimdChoice& simd = *c.choice.simd();
  const auto replies = static_cast<double>(layer.counts.replies);
  simd.flood_bits = noise::flood_bits(noise, replies * options.layers, simd.statistical_bits);
  // The room of bfv::flood.
  if (simd.flood_bits >= parameters.log2_q() - parameters.log2_p() - 1) return std::nullopt;
  for (std::size_t level = 1; level <= parameters.data_primes.size(); ++level) {
    c.der_log2 = std::max(noise::log2_der(noise, parameters, simd.flood_bits, level), kNever);
    if (c.der_log2 > der_log2) continue;
    simd.reply_level = static_cast<int>(level);
    c.choice.failure_log2 = std::min(0.0, c.der_log2 + std::log2(replies));
    price_simd(layer, parameters, options.costs, c.choice);
    return c;
  }
  return std::nullopt;
}

std::vector<SimdVariant> simd_variants(const nn::QNode& node, const SimdOptions& options) {
  const linear::Geometry geometry = geometry_of(node);
  std::vector<SimdVariant> variants;
  for (const std::uint32_t n : options.degrees) {
    // Flooding alone needs this much, for the smallest prime of any use.
    if (options.statistical_bits + 2 * std::log2(n) >= security::max_log2_q(n)) continue;
    for (const SimdChoice& method : methods(geometry, options.statistical_bits)) {
      const auto packing = linear::SimdPacking::if_fits(geometry, method.conv, method.fc, n);
      if (packing) variants.push_back({n, method, linear::simd_layer(*packing)});
    }
  }
  return variants;
}

std::vector<SimdCandidate> simd_candidates(std::span<const SimdVariant> variants, std::uint64_t p,
                                           double der_log2, const SimdOptions& options) {
  std::vector<SimdCandidate> found;
  for (const SimdVariant& variant : variants) {
    if (!usable(variant.n, p)) continue;
    for (const bool special : {false, true}) {
      if (auto c = smallest(variant, p, special, der_log2, options)) found.push_back(std::move(*c));
    }
  }
  return found;
}

std::vector<SimdCandidate> simd_candidates(const nn::QNode& node, std::uint64_t p, double der_log2,
                                           const SimdOptions& options) {
  return simd_candidates(simd_variants(node, options), p, der_log2, options);
}

double price_of(const SimdCandidate& candidate, double bytes_per_second) {
  return candidate.choice.predicted_s +
         static_cast<double>(candidate.choice.predicted_bytes) / bytes_per_second;
}

std::vector<SimdCandidate> simd_pareto(const nn::QNode& node, std::uint64_t p,
                                       std::span<const double> der_log2, const SimdOptions& options) {
  const std::vector<SimdVariant> variants = simd_variants(node, options);
  std::vector<SimdCandidate> all;
  for (const double der : der_log2) {
    std::ranges::move(simd_candidates(variants, p, der, options), std::back_inserter(all));
  }
  const auto key = [](const SimdCandidate& c) {
    return std::tuple(c.choice.predicted_s, c.choice.predicted_bytes, c.der_log2);
  };
  std::ranges::sort(all, {}, key);
  std::vector<SimdCandidate> front;
  for (SimdCandidate& c : all) {
    // Whatever beats c is as fast, so comes earlier.
    const bool beaten = std::ranges::any_of(front, [&](const SimdCandidate& k) {
      return k.choice.predicted_bytes <= c.choice.predicted_bytes && k.der_log2 <= c.der_log2;
    });
    if (!beaten) front.push_back(std::move(c));
  }
  std::ranges::sort(front, std::greater{}, &SimdCandidate::der_log2);
  return front;
}

PackingPrices compare_packings(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                               double bytes_per_second, const SimdOptions& options) {
  PackingPrices prices{cheapest(node, log2_p, budget, {.bytes_per_second = bytes_per_second}), std::nullopt};
  // As many values as 2^log2_p tells apart.
  const std::int64_t bound = (std::int64_t{1} << (log2_p - 1)) - 1;
  for (const SimdVariant& variant : simd_variants(node, options)) {
    for (SimdCandidate& c : simd_candidates(std::span(&variant, 1), smallest_prime(bound, variant.n),
                                            budget.target_failure_log2, options)) {
      if (!prices.slots || price_of(c, bytes_per_second) < price_of(*prices.slots, bytes_per_second))
        prices.slots = std::move(c);
    }
  }
  return prices;
}

}  // namespace ap::plan

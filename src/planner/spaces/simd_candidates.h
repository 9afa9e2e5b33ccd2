// The ways to run one linear layer packed for SIMD (the published baselines): ring, modulus, gadget and
// algorithm, with a decryption-error rate, at 128 bits of security or more, priced by operation counts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/cost/simd_cost.h"
#include "layers/linear/simd/packing.h"
#include "plan/plan.h"
#include "planner/spaces/candidates.h"

namespace ap::plan {

using cost::SimdUnitCosts;
using linear::SimdLayer;

/// Sets predicted_s and predicted_bytes: one inference, both parties. Keys, which the layers of a group
/// share, are not counted: they are assemble_simd's to add.
void price_simd(const SimdLayer& layer, const bfv::BatchParameters& parameters, const SimdUnitCosts& costs,
                LinearChoice& choice);
/// What `rotations` rotation keys and, if `public_key`, a public key cost once.
struct KeyPrice {
  double seconds = 0;
  std::uint64_t bytes = 0;
};
KeyPrice price_keys(const bfv::BatchParameters& parameters, std::size_t rotations, bool public_key,
                    const SimdUnitCosts& costs);

/// choice.node and choice.group are the caller's to fill.
struct SimdCandidate {
  bfv::BatchParameters parameters;
  LinearChoice choice;
  double der_log2 = 0;  ///< of one reply, as realised; choice.failure_log2 is that of all replies
};

struct SimdOptions {
  int statistical_bits = 40;  ///< of flooding, for one inference
  double layers = 1;          ///< of one inference: each may take an equal part of that distance
  SimdUnitCosts costs;
  std::vector<std::uint32_t> degrees = {2048, 4096, 8192, 16384, 32768};
};

/// Data primes of `bits` bits together, as few as possible, none above 50 bits, and a special prime of
/// `special_bits` bits or none (0), all different from p; nothing if there are no such primes.
std::optional<bfv::BatchParameters> simd_parameters(std::uint32_t n, std::uint64_t p, int bits,
                                                    int special_bits);

/// Fills in what a layer's flooding and rates are under given parameters: flood_bits, the smallest
/// reply_level with at most this rate, failure_log2 and prices. Nothing if replies fail more often, or the
/// parameters are not secure.
std::optional<SimdCandidate> with_parameters(const SimdLayer& layer, const SimdChoice& method,
                                             const bfv::BatchParameters& parameters, double der_log2,
                                             const SimdOptions& options);

/// One layer in every degree and by every method that it fits. It does not depend on the modulus.
struct SimdVariant {
  std::uint32_t n = 0;
  SimdChoice method;
  SimdLayer layer;
};
std::vector<SimdVariant> simd_variants(const nn::QNode& node, const SimdOptions& options = {});

/// For every degree, method and gadget the smallest modulus whose replies fail with probability at most
/// 2^der_log2 each (AutoPrivacy, Fig. 2b), all with plaintext prime p, which must be 1 mod 2N; other degrees
/// are left out. May be empty.
std::vector<SimdCandidate> simd_candidates(std::span<const SimdVariant> variants, std::uint64_t p,
                                           double der_log2, const SimdOptions& options = {});
std::vector<SimdCandidate> simd_candidates(const nn::QNode& node, std::uint64_t p, double der_log2,
                                           const SimdOptions& options = {});

/// Those of all rates that no other beats: no fewer seconds, bytes and rate, and more of one. Sorted by rate,
/// largest first.
std::vector<SimdCandidate> simd_pareto(const nn::QNode& node, std::uint64_t p,
                                       std::span<const double> der_log2, const SimdOptions& options = {});

double price_of(const SimdCandidate& candidate, double bytes_per_second);

/// The cheapest ways to run a layer with both packings, exactly up to a failure of 2^target_log2:
/// coefficients with shares modulo a power of two, and slots modulo the smallest prime that holds the same
/// values.
struct PackingPrices {
  Candidate coefficients;
  std::optional<SimdCandidate> slots;  ///< absent if no parameters exist
};
PackingPrices compare_packings(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                               double bytes_per_second = kGigabit, const SimdOptions& options = {});

}  // namespace ap::plan

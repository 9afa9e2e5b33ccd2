// The ways to run one linear layer under encryption, for one error budget: every ring, packing and modulus
// that keeps the budget at 128 bits of security or more, with its time and bytes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cost/profile.h"
#include "nn/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

/// What the errors of a layer may be: either so rare, or so small.
struct ErrorBudget {
  double tau = 0;  ///< largest standard deviation of p e / q in accumulator LSBs; 0: not graded
  double target_failure_log2 = -40;  ///< with tau = 0: log2 of the failure probability ...
  double coefficients = 1;           ///< ... of this many coefficients together
};

/// The parameters, with choice.packing, .log2_p, .error_std (tau), .predicted_s and .predicted_bytes.
/// choice.node and choice.group are the caller's to fill.
struct Candidate {
  bfv::Parameters parameters;
  LinearChoice choice;
};

inline constexpr double kGigabit = 125e6;  ///< bytes per second

/// Seconds of both parties plus seconds on a link of this bandwidth (bytes per second).
double price_of(const Candidate& candidate, double bytes_per_second);

/// The packings of one layer in every ring, with the noise of each: what all budgets choose from.
class LayerSpace {
 public:
  /// `node` is linear and has its weights.
  LayerSpace(const nn::QNode& node, int log2_p, double bytes_per_second = kGigabit,
             const cost::Profile& profile = cost::typical_profile());
  /// The best candidate of every ring degree and packing, for this bandwidth.
  std::vector<Candidate> candidates(const ErrorBudget& budget) const;
  /// The cheapest of them. @throws Error(input) naming the layer if there is none.
  Candidate cheapest(const ErrorBudget& budget) const;

 private:
  struct Packed {
    std::uint32_t n;
    linear::Packing packing;
    double weight_norm2;  ///< noise::ReplyNoise
    std::size_t reads;    ///< coefficients of c0 in a reply
  };
  void add(std::uint32_t n, const linear::Packing& packing, std::span<const std::int16_t> weights);
  std::optional<Candidate> with_modulus(const Packed& packed, int bits, double needed) const;
  std::string name_;
  linear::Geometry geometry_;
  int log2_p_;
  double bytes_per_second_;
  cost::Profile profile_;
  std::vector<Packed> packings_;
};

/// The best candidate of every ring degree and packing of the layer, for this bandwidth.
std::vector<Candidate> candidates(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                                  double bytes_per_second = kGigabit,
                                  const cost::Profile& profile = cost::typical_profile());

/// The cheapest of them.
/// @throws Error(input) naming the layer if there is none.
Candidate cheapest(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                   double bytes_per_second = kGigabit,
                   const cost::Profile& profile = cost::typical_profile());

/// The candidates of all budgets that no other beats: a candidate is left out if another one has no more
/// seconds, no more bytes and no more error (tau of a graded budget; a failure budget counts as 0), and less
/// of one. Sorted by error, then bytes.
std::vector<Candidate> pareto(const nn::QNode& node, int log2_p, std::span<const ErrorBudget> budgets,
                              const cost::Profile& profile = cost::typical_profile());

}  // namespace ap::plan

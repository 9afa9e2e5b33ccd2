// The ways to run one linear layer under encryption, for one error budget: every ring, packing and modulus
// that keeps the budget at 128 bits of security or more, with its time and bytes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/cost/profile.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

/// What the errors of a layer may be: either so rare, or so small.
struct ErrorBudget {
  double error_std = 0;  ///< largest standard deviation of p e / q in accumulator LSBs; 0: not graded
  double target_failure_log2 = -40;  ///< with error_std = 0: log2 of the failure probability ...
  double coefficients = 1;           ///< ... of this many coefficients together
};

/// The parameters, with choice.packing, .log2_p, .error_std (error_std), .predicted_s and .predicted_bytes.
/// choice.node and choice.group are the caller's to fill.
struct Candidate {
  bfv::Parameters parameters;
  LinearChoice choice;
};

inline constexpr double kGigabit = 125e6;  ///< bytes per second

/// What else the parameters of a layer depend on.
struct LayerOptions {
  double bytes_per_second = kGigabit;
  cost::Profile profile = cost::typical_profile();
  /// How many inferences the weights are to stay private for (layers/linear/coefficient/weight_privacy.h): decides the server's own
  /// noise. 0: none is added, and the weights leak.
  std::uint64_t privacy_inferences = noise::kDefaultInferences;
};

/// Seconds of both parties plus seconds on a link of this bandwidth (bytes per second).
double price_of(const Candidate& candidate, double bytes_per_second);

/// The packings of one layer in every ring, with the noise of each: what all budgets choose from. Of the weights
/// themselves it looks only at norms and magnitudes rounded up to quarter octaves (noise::quarter_octave), so that
/// no number of a candidate tells more of them.
class LayerSpace {
 public:
  /// `node` is linear and has its weights.
  LayerSpace(const nn::QNode& node, int log2_p, const LayerOptions& options = {});
  /// The best candidate of every ring degree and packing, for this bandwidth.
  std::vector<Candidate> candidates(const ErrorBudget& budget) const;
  /// The cheapest of them. @throws Error(input) naming the layer if there is none.
  Candidate cheapest(const ErrorBudget& budget) const;

 private:
  struct Packed {
    std::uint32_t n;
    linear::Packing packing;
    double weight_norm2;  ///< noise::ReplyNoise, rounded up
    std::size_t reads;    ///< coefficients of c0 in a reply
    std::uint64_t reads_of_a_weight;
  };
  /// What a budget asks of a packing.
  struct Need {
    std::uint64_t noise_step;
    double log2_q;
  };
  void add(std::uint32_t n, const linear::Packing& packing, std::span<const std::int16_t> weights);
  Need need_of(const Packed& packed, const ErrorBudget& budget) const;
  std::optional<Candidate> with_modulus(const Packed& packed, int bits, const Need& need) const;
  std::string name_;
  linear::Geometry geometry_;
  int log2_p_;
  double largest_weight_;  ///< rounded up
  LayerOptions options_;
  std::vector<Packed> packings_;
};

/// The best candidate of every ring degree and packing of the layer, for this bandwidth.
std::vector<Candidate> candidates(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                                  const LayerOptions& options = {});

/// The cheapest of them.
/// @throws Error(input) naming the layer if there is none.
Candidate cheapest(const nn::QNode& node, int log2_p, const ErrorBudget& budget,
                   const LayerOptions& options = {});

/// The candidates of all budgets that no other beats: a candidate is left out if another one has no more
/// seconds, no more bytes and no more error (error_std of a graded budget; a failure budget counts as 0), and less
/// of one. Sorted by error, then bytes. Of the options the bandwidth does not count.
std::vector<Candidate> pareto(const nn::QNode& node, int log2_p, std::span<const ErrorBudget> budgets,
                              const LayerOptions& options = {});

}  // namespace ap::plan

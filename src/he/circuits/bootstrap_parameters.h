// Parameter sets of bootstrapping (he/circuits/bootstrap.h). A set says how many bits each step of the chain of primes
// has; what it adds up to is computed from it. docs/bootstrapping.md derives the sets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "he/ckks/scale.h"
#include "he/rlwe/context.h"

namespace ap::circuits {

/// A set that exists is valid: every sum of levels adds up, and, but for the toy set of tests, the largest moduli that are
/// published under the dense and under the sparse secret have 128 bits of security (security/limits.h).
///
/// The chain from its lowest prime on: q_0; the primes of SlotsToCoefficients; those of the levels that are free for
/// computation after a bootstrap; those of EvalMod; those of CoefficientsToSlots.
class BootstrapParameters {
 public:
  /// `name`: "R15", "R16" or "R16b". `slots`: a power of two from 256 to N/2.
  /// @throws Error(input) that lists what there is, Error(security) if the estimate says so.
  BootstrapParameters(std::string_view name, std::size_t slots);
  /// N = 2^11 and no security at all: for tests, and by no name. `slots`: 64 to 1024.
  static BootstrapParameters insecure_toy_for_tests(std::size_t slots);

  const std::string& name() const { return name_; }
  std::uint32_t n() const { return chain_.n; }
  std::size_t slots() const { return slots_; }

  /// Everything but SlotsToCoefficients and the first switch of ModRaise.
  const rlwe::Parameters& chain() const { return chain_; }
  /// The lowest primes of the chain with special primes of their own, for SlotsToCoefficients: small keys.
  const rlwe::Parameters& bottom() const { return bottom_; }
  /// q_0 and one special prime, for the switch to the sparse secret.
  const rlwe::Parameters& lowest() const { return lowest_; }

  /// Data primes of what is bootstrapped, and of the result: the difference is what is free for computation.
  std::size_t input_level() const { return 1 + down_primes_; }
  std::size_t output_level() const { return input_level() + free_levels_; }
  std::size_t free_levels() const { return free_levels_; }
  /// After CoefficientsToSlots, where EvalMod begins.
  std::size_t mod_level() const { return output_level() + kModDepth; }
  /// Of slots, before and after; real numbers in [-1, 1].
  const ckks::Scale& scale() const { return scale_; }

  /// Butterflies in each matrix, in the order of application.
  const std::vector<int>& merged_up() const { return merged_up_; }
  const std::vector<int>& merged_down() const { return merged_down_; }
  /// Whether each matrix of SlotsToCoefficients is rescaled; the last one is.
  const std::vector<bool>& rescaled_down() const { return rescaled_down_; }

  /// Coefficients of the sparse secret that are not zero.
  std::size_t weight() const { return weight_; }
  /// Of the slots when they are coefficients modulo q_0.
  ckks::Scale coefficient_scale() const { return ckks::Scale::power_of_two(coefficient_bits_); }
  /// log2 of q_0 over that scale: how many times as large as 1 the modulus is.
  double log2_message_ratio() const;
  /// Bits of the primes of EvalMod.
  int mod_bits() const { return mod_bits_; }

  /// |m + q_0 I| / q_0 <= kMultiples but with probability failure_log2().
  static constexpr int kMultiples = 16;
  /// EvalMod: cos(2 pi (u - 1/4) / 2^kDoublings) as an even polynomial, then doublings.
  static constexpr int kDegree = 30, kDoublings = 3, kPolynomialDepth = 5;
  static constexpr std::size_t kModDepth = kPolynomialDepth + kDoublings;

  /// log2 of the probability that one bootstrap gives something else than its slots.
  double failure_log2() const;
  /// Bits after the point that slots uniform in [-1, 1] keep, by the model of docs/bootstrapping.md.
  double precision_bits() const;
  /// The least over all keys that are published, by security/limits.h: those under the dense secret, of which the largest
  /// modulus decides, and the one under the sparse secret. The toy set's is what it is.
  double security_bits() const;

 private:
  struct Shape;
  BootstrapParameters(const Shape& shape, std::size_t slots);

  std::string name_;
  std::size_t slots_, down_primes_, free_levels_, weight_;
  int mod_bits_, coefficient_bits_;
  ckks::Scale scale_;
  std::vector<int> merged_up_, merged_down_;
  std::vector<bool> rescaled_down_;
  rlwe::Parameters chain_, bottom_, lowest_;
};

/// log2 of the probability that one of `count` sums of `terms` independent values, uniform in [-1/2, 1/2], leaves
/// [-limit, limit]: the sum of their probabilities (Irwin and Hall), an upper bound. -infinity if none can.
double irwin_hall_tail_log2(std::size_t terms, double limit, double count);

}  // namespace ap::circuits

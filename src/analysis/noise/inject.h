// Injects into the clear integer network exactly what the private evaluation of the same image does to it:
//
//   a linear layer   its two shares are rounded separately, so the accumulator is off by floor(delta + u) with
//                    delta = p e / q of standard deviation error_std and u uniform in [0, 1)
//                    (layers/linear/noise_model.h);
//   an activation    each party drops the low bits of its own share: the client's part of them is uniform, the
//                    server's follows, and a borrow is lost in one case out of several;
//   both             accumulators live modulo 2^k, and wrap if they leave its signed range.
//
// In layers packed for SIMD, whose shares live modulo a prime, a reply either decrypts exactly or fails in
// all its slots (analysis/noise/decryption_failure.h), activations are exact, and accumulators wrap modulo
// the prime.
//
// Local nodes (sums, poolings, copies) are exact modulo 2^k and need nothing; modulo a prime, too, unless
// a value that failed to decrypt leaves 32 bits when it is multiplied, and then it is another wrong value.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/noise/decryption_failure.h"
#include "nn/execute/integer_executor.h"

namespace ap::noise {

/// The re-sharing error of one linear node.
struct LinearError {
  int node = 0;
  std::vector<float> error_std;  ///< one for each output element, in accumulator LSBs
};

/// How an activation reads the shares of its input: reduced mod 2^(sum_bits + shift), `offset` added, the low
/// `dropped_bits` bits of each share dropped, and the sum, less `low`, taken as a signed number of sum_bits
/// bits after the remaining shift - dropped_bits bits are dropped too.
struct TruncationError {
  int node = 0;
  int sum_bits = 0, shift = 0, dropped_bits = 0;
  std::int64_t offset = 0, low = 0;
  std::uint64_t prime = 0;  ///< if any, shares are modulo it instead, and dropped_bits is 0
};

/// How a quadratic reads the shares of its value: `offset` added, the low `dropped_bits` of each dropped.
struct ResultError {
  int node = 0;
  int dropped_bits = 0;
  std::int64_t offset = 0;
};

struct ErrorModel {
  std::vector<LinearError> linears;          ///< ascending nodes
  std::vector<TruncationError> truncations;  ///< ascending nodes
  std::vector<ResultError> results;          ///< ascending nodes
  int logits = 0;                            ///< the last node ...
  int logit_bits = 0;                        ///< ... and the bits of its modulus
  std::vector<DecryptionFailures> replies;   ///< of layers packed for SIMD; ascending nodes
  std::uint64_t logit_prime = 0;             ///< if any, the modulus of the last node
};

/// One private evaluation of one image. Random numbers depend on (seed, image, node, element) alone, and
/// scale with error_std: two plans simulated with one seed see the same errors up to their size.
class Injection {
 public:
  /// `model` must outlive this object.
  Injection(const ErrorModel& model, std::uint64_t seed, std::uint64_t image);
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  /// Hooks for one run of the executor on one thread; they refer to this object.
  nn::IntegerHooks hooks();
  /// How many accumulators left the range of their modulus so far.
  std::uint64_t wraps() const { return wraps_; }
  /// How many replies decrypted to garbage so far.
  std::uint64_t failures() const { return failures_; }

 private:
  void after_node(int node, std::span<std::int32_t> values);
  void rounding(int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset);
  void result_rounding(int node, std::span<std::int64_t> offset);

  const ErrorModel* model_;
  std::uint64_t seed_, image_;
  std::uint64_t wraps_ = 0, failures_ = 0;
};

}  // namespace ap::noise

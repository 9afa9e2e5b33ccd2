// The plaintext space of batching: everything precomputed for it; the body behind BatchContextPtr.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "he/bfv/batch_context.h"
#include "ring/base_convert.h"
#include "ring/ntt.h"

namespace ap::bfv {

/// What depends on how many data primes are left.
struct PlainLevel {
  /// Products of two ciphertexts: to the helper primes B, division by q / p there, and back.
  struct Product {
    std::size_t helpers;
    ring::BaseConverter extend;
    ring::ScaleDown scale;
    ring::BaseConverter back;
  };
  /// round(q m / p) = (q m + half - r) / p with r = (q m + half) mod p, half = floor(p / 2).
  struct ScaleUp {
    std::uint64_t q, q_shoup;                      ///< q mod p
    std::vector<ring::FixedFactor> minus_inverse;  ///< -1/p modulo each prime
    std::vector<std::uint64_t> offset;             ///< half/p modulo each prime
  };
  /// round(p x / q) from residues: the sum of y_i (whole_i + fraction_i 2^-64), y_i = x_i (q/q_i)^-1 mod q_i.
  struct ScaleDownToPlain {
    std::vector<ring::FixedFactor> inverse;
    std::vector<std::uint64_t> whole, fraction;
  };
  ScaleUp scale_up;
  ScaleDownToPlain scale_down;
  std::optional<Product> product;
};

/// The RLWE context with a plaintext modulus p. Keys and ciphertexts know it as an rlwe::Context; what needs p takes it
/// as its own argument.
class BatchContext : public rlwe::Context {
 public:
  /// @throws Error(input) that names the parameter that is wrong, and the limit.
  explicit BatchContext(const BatchParameters& parameters);

  const BatchParameters& parameters() const { return parameters_; }
  /// Primes beside q that hold products of ciphertexts; none unless parameters().products.
  const ring::NttTables& helper_tables(std::size_t i) const { return helper_tables_[i]; }

  const ring::Modulus& p() const { return p_; }
  const std::vector<ring::NttTables>& plain_tables() const { return plain_tables_; }
  /// (p / p_i) (p / p_i)^-1 mod p, and its Shoup quotient.
  std::span<const std::uint64_t> plain_lift() const { return plain_lift_; }
  std::span<const std::uint64_t> plain_lift_shoup() const { return plain_lift_shoup_; }

  /// Where slot i (row i / (N/2), column i mod N/2) lies among the values of a transform.
  std::span<const std::uint32_t> slot_index() const { return slot_index_; }

  /// 1 <= primes <= data().
  const PlainLevel& plain_level(std::size_t primes) const { return levels_[primes - 1]; }

 private:
  PlainLevel make_level(std::size_t primes) const;

  BatchParameters parameters_;
  std::vector<ring::NttTables> helper_tables_, plain_tables_;
  ring::Modulus p_;
  std::vector<std::uint64_t> plain_lift_, plain_lift_shoup_;
  std::vector<std::uint32_t> slot_index_;
  std::vector<PlainLevel> levels_;
};

}  // namespace ap::bfv

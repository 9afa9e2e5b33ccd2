// Everything precomputed for one parameter set of batching; the body behind BatchContextPtr.
//
// Polynomials are stored residue after residue. A ciphertext of level l has residues modulo the first l data
// primes; polynomials of keys have all data primes, then all special primes.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "he/bfv/batch_context.h"
#include "ring/base_convert.h"
#include "ring/ntt.h"

namespace ap::bfv {

/// What depends on how many data primes are left.
struct BatchLevel {
  /// One group of primes and its extension to the other primes of the level, then to the special primes.
  struct Digit {
    std::size_t first, count;
    ring::BaseConverter extend;
  };
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
  double log2_q = 0;
  ScaleUp scale_up;
  ScaleDownToPlain scale_down;
  std::vector<Digit> digits;
  std::optional<ring::ScaleDown> drop_special;
  std::optional<Product> product;
};

class BatchContext {
 public:
  explicit BatchContext(const BatchParameters& parameters);

  const BatchParameters& parameters() const { return parameters_; }
  std::size_t n() const { return parameters_.n; }
  std::size_t data() const { return parameters_.data_primes.size(); }
  std::size_t special() const { return parameters_.special_primes.size(); }
  std::size_t digits() const { return level(data()).digits.size(); }
  /// Polynomials of keys: data and special primes.
  std::size_t key_words() const { return (data() + special()) * n(); }

  /// Data primes, special primes, helper primes.
  const ring::NttTables& tables(std::size_t i) const { return tables_[i]; }
  const ring::Modulus& modulus(std::size_t i) const { return tables_[i].modulus(); }
  const ring::NttTables& special_tables(std::size_t i) const { return tables_[data() + i]; }
  const ring::NttTables& helper_tables(std::size_t i) const { return tables_[data() + special() + i]; }
  std::vector<ring::Modulus> moduli(std::size_t first, std::size_t count) const;

  const ring::Modulus& p() const { return p_; }
  const std::vector<ring::NttTables>& plain_tables() const { return plain_tables_; }
  /// (p / p_i) (p / p_i)^-1 mod p, and its Shoup quotient.
  std::span<const std::uint64_t> plain_lift() const { return plain_lift_; }
  std::span<const std::uint64_t> plain_lift_shoup() const { return plain_lift_shoup_; }

  /// Where slot i (row i / (N/2), column i mod N/2) lies among the values of a transform.
  std::span<const std::uint32_t> slot_index() const { return slot_index_; }

  /// 1 <= primes <= data().
  const BatchLevel& level(std::size_t primes) const { return levels_[primes - 1]; }

  /// The values of prime i (an index into `polynomial`).
  template <typename T>
  std::span<T> part(std::span<T> polynomial, std::size_t i) const {
    return polynomial.subspan(i * n(), n());
  }

 private:
  BatchLevel make_level(std::size_t primes, std::size_t group) const;

  BatchParameters parameters_;
  std::vector<ring::NttTables> tables_, plain_tables_;
  ring::Modulus p_;
  std::vector<std::uint64_t> plain_lift_, plain_lift_shoup_;
  std::vector<std::uint32_t> slot_index_;
  std::vector<BatchLevel> levels_;
};

}  // namespace ap::bfv

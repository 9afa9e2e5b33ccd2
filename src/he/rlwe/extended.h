// Double hoisting (Bossuat, Mouchet, Troncoso-Pastoriza and Hubaux, 2020/1203): what key switches give is kept modulo Q P,
// multiplied there, summed, and divided by P once for the whole sum instead of once for each switch. Everything in NTT
// form.
#pragma once

#include <span>
#include <vector>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/key_switch.h"
#include "ring/products.h"
#include "ring/scratch.h"

namespace ap::rlwe {

/// P times an encryption under s, with noise, modulo the first `level` data primes and all special primes. Only the
/// functions below make and change its values, and only division by P makes a ciphertext of it: it is never taken for one.
class Extended {
 public:
  /// Zero. @throws Error(internal) unless 1 <= level <= context->data() and the context has special primes.
  Extended(ContextPtr context, std::size_t level);

  const ContextPtr& context() const { return context_; }
  std::size_t level() const { return level_; }
  /// Those of the level, then the special ones.
  std::size_t primes() const { return level_ + context_->special(); }
  /// The number in the context of prime i of these.
  std::size_t context_prime(std::size_t i) const { return i < level_ ? i : context_->data() + i - level_; }
  /// The N values of c_k, k = 0 or 1, modulo prime i of these.
  std::span<const std::uint64_t> part(std::size_t k, std::size_t i) const {
    return values_.words((k * primes() + i) * context_->n(), context_->n());
  }

  /// The same residues of the same context.
  friend bool operator==(const Extended& x, const Extended& y);

 private:
  friend struct ExtendedWriter;
  struct Unwritten {};
  Extended(ContextPtr context, std::size_t level, Unwritten);
  ContextPtr context_;
  std::size_t level_;
  ring::Scratch values_;
};

/// P x. x of degree 1 in NTT form.
Extended extend(const Ciphertext& x);
/// P times apply_automorphism(x, digits, element, keys); `digits` is decompose(x).
Extended extended_automorphism(const Ciphertext& x, const Decomposition& digits, std::uint32_t element,
                               const GaloisKeys& keys);

/// sum += x. Equal contexts and levels.
void add(const Extended& x, Extended& sum);
/// sum += x under the automorphism: x's c_1 alone is divided by P and switched, its c_0 stays as it is. Noise: that of a
/// key switch modulo Q P, over P, and the rounding of c_1. @throws Error(input) if there is no key of that element.
void add_automorphism(const Extended& x, std::uint32_t element, const GaloisKeys& keys, Extended& sum);

/// Polynomials modulo Q P that terms of sums are multiplied with: made when they are used, or kept.
class Weights {
 public:
  virtual ~Weights() = default;
  /// Whether term `term` is in sum `sum`.
  virtual bool has(std::size_t sum, std::size_t term) const = 0;
  /// How the values of every weight are kept.
  virtual ring::WeightShape shape() const { return {}; }
  /// That weight in NTT form modulo prime `prime` of the context (data primes, then special primes): the
  /// shape().words(N) values, and ring::kWeightPadding words behind them that may be read. They may be written to `room`,
  /// which has so many words. Called from several threads.
  virtual const std::uint64_t* values(std::size_t sum, std::size_t term, std::size_t prime,
                                      std::span<std::uint64_t> room) const = 0;
};
/// For each of `sums` sums: P times the sum over its terms t of weight (sum, t) times x under the automorphism
/// elements[t]. A few primes at a time (on all cores), so that neither the digits nor the rotations of x are ever all in
/// memory; the same result bit for bit as products of extended_automorphism. @throws Error(input) if a key is missing.
std::vector<Extended> hoisted_sums(const Ciphertext& x, std::span<const std::uint32_t> elements,
                                   const GaloisKeys& keys, std::size_t sums, const Weights& weights);

/// The encryption: x / P with rounding.
Ciphertext divide(const Extended& x);
/// The encryption rescaled by the last prime of its level: one division by P and that prime, one rounding.
/// @throws Error(input) at level 1.
Ciphertext divide_rescale(const Extended& x);

}  // namespace ap::rlwe

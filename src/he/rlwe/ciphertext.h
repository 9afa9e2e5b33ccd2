// Ciphertexts and plaintexts: polynomials over the first primes of the chain.
#pragma once

#include <span>

#include "base/memory.h"
#include "he/rlwe/context.h"

namespace ap::rlwe {

/// How polynomials are held: by the values of their transform (products are element-wise) or by their coefficients.
enum class Form { ntt, coefficient };

/// c_0 .. c_d with sum_k c_k s^k = a message with noise, modulo the first `level` data primes. Degree d is 1, or 2 for
/// a product that is not yet relinearised. Every residue is below its prime as long as writers keep it so.
class Ciphertext {
 public:
  /// Zero. 1 <= level <= context->data(), degree 1 or 2. @throws Error(internal) otherwise.
  Ciphertext(ContextPtr context, std::size_t level, std::size_t degree = 1, Form form = Form::ntt);
  /// As the constructor, but of any values: every part must be written.
  static Ciphertext unwritten(ContextPtr context, std::size_t level, std::size_t degree = 1,
                              Form form = Form::ntt);

  const ContextPtr& context() const { return context_; }
  std::size_t level() const { return level_; }
  std::size_t degree() const { return degree_; }
  Form form() const { return form_; }

  /// c_k: level * N values, those of prime 0 first.
  std::span<std::uint64_t> operator[](std::size_t k) {
    return std::span(values_).subspan(k * words(), words());
  }
  std::span<const std::uint64_t> operator[](std::size_t k) const {
    return std::span(values_).subspan(k * words(), words());
  }
  /// The N values of c_k modulo prime i.
  std::span<std::uint64_t> part(std::size_t k, std::size_t i) { return context_->part((*this)[k], i); }
  std::span<const std::uint64_t> part(std::size_t k, std::size_t i) const {
    return context_->part((*this)[k], i);
  }

  /// Into the other form, in place; nothing if it is in that form.
  void to(Form form);

  /// The same residues of the same context in the same form.
  friend bool operator==(const Ciphertext&, const Ciphertext&) = default;

 private:
  struct Unwritten {};
  Ciphertext(ContextPtr context, std::size_t level, std::size_t degree, Form form, Unwritten);
  std::size_t words() const { return level_ * context_->n(); }

  ContextPtr context_;
  std::size_t level_, degree_;
  Form form_;
  UnsetVector<std::uint64_t> values_;
};

/// A polynomial in NTT form modulo the first `level` data primes, to multiply ciphertexts of up to that level with.
class Plaintext {
 public:
  /// Zero. 1 <= level <= context.data(). @throws Error(internal) otherwise.
  Plaintext(const Context& context, std::size_t level);

  std::size_t level() const { return level_; }
  /// The N values modulo prime i.
  std::span<std::uint64_t> part(std::size_t i) { return std::span(values_).subspan(i * n_, n_); }
  std::span<const std::uint64_t> part(std::size_t i) const { return std::span(values_).subspan(i * n_, n_); }
  std::size_t memory_bytes() const { return values_.size() * sizeof(std::uint64_t); }

 private:
  std::size_t n_, level_;
  LargeVector<std::uint64_t> values_;
};

}  // namespace ap::rlwe

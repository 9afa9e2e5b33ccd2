// Plaintexts and ciphertexts of CKKS: those of he/rlwe with the scale of their slots. In NTT form throughout.
#pragma once

#include <utility>

#include "base/error.h"
#include "he/ckks/scale.h"
#include "he/rlwe/ciphertext.h"

namespace ap::ckks {

/// Slots encoded at a scale, modulo the first `level` data primes (ckks/encoder.h makes them).
class Plaintext {
 public:
  Plaintext(rlwe::ContextPtr context, rlwe::Plaintext polynomial, Scale scale)
      : context_(std::move(context)), polynomial_(std::move(polynomial)), scale_(std::move(scale)) {}

  const rlwe::ContextPtr& context() const { return context_; }
  const rlwe::Plaintext& polynomial() const { return polynomial_; }
  const Scale& scale() const { return scale_; }
  std::size_t level() const { return polynomial_.level(); }

 private:
  rlwe::ContextPtr context_;
  rlwe::Plaintext polynomial_;
  Scale scale_;
};

/// An encryption of slots times `scale`, with noise.
class Ciphertext {
 public:
  /// x in NTT form. @throws Error(internal) otherwise.
  Ciphertext(rlwe::Ciphertext x, Scale scale) : x_(std::move(x)), scale_(std::move(scale)) {
    AP_ASSERT(x_.form() == rlwe::Form::ntt);
  }

  const rlwe::ContextPtr& context() const { return x_.context(); }
  /// Data primes left.
  std::size_t level() const { return x_.level(); }
  /// 1, or 2 for a product that is not yet relinearised.
  std::size_t degree() const { return x_.degree(); }
  const Scale& scale() const { return scale_; }
  /// For key switching and the wire; its scale is `scale()`.
  const rlwe::Ciphertext& polynomials() const { return x_; }
  /// For operations in place, which leave the scale as it is.
  rlwe::Ciphertext& polynomials() { return x_; }

  friend bool operator==(const Ciphertext&, const Ciphertext&) = default;

 private:
  rlwe::Ciphertext x_;
  Scale scale_;
};

}  // namespace ap::ckks

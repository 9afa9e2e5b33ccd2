// Everything precomputed for one ring Z_q[X]/(X^n + 1); the body behind ContextPtr.
#pragma once

#include <span>
#include <vector>

#include "he/bfv/context.h"
#include "he/bfv/scaling.h"
#include "ring/crt.h"
#include "ring/ntt.h"

namespace ap::bfv {

/// Polynomials are stored residue after residue: the n values of prime 0, then those of prime 1, ...
class Context {
 public:
  explicit Context(const Parameters& parameters);

  const Parameters& parameters() const { return parameters_; }
  std::size_t n() const { return parameters_.n; }
  std::size_t primes() const { return tables_.size(); }
  std::size_t words() const { return n() * primes(); }
  const ring::NttTables& tables(std::size_t i) const { return tables_[i]; }
  const ring::Crt& crt() const { return crt_; }
  const Scaling& scaling() const { return scaling_; }
  /// Bits of q.
  int q_bits() const { return scaling_.q_bits(); }

  /// The part of a polynomial that belongs to prime i.
  template <typename T>
  std::span<T> part(std::span<T> polynomial, std::size_t i) const {
    return polynomial.subspan(i * n(), n());
  }

 private:
  Parameters parameters_;
  std::vector<ring::NttTables> tables_;
  ring::Crt crt_;
  Scaling scaling_;
};

}  // namespace ap::bfv

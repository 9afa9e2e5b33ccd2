// What scaling needs of one ring Z_q[X]/(X^n + 1); the body behind ContextPtr.
#pragma once

#include "he/bfv/context.h"
#include "he/bfv/scaling.h"
#include "he/rlwe/context.h"
#include "ring/crt.h"

namespace ap::bfv {

/// Keys and ciphertexts know it as an rlwe::Context; what scales takes it as its own argument.
class Context : public rlwe::Context {
 public:
  /// @throws Error(input) that names the parameter that is wrong, and the limit.
  explicit Context(const Parameters& parameters);

  const Parameters& parameters() const { return parameters_; }
  const ring::Crt& crt() const { return crt_; }
  const Scaling& scaling() const { return scaling_; }
  /// Bits of q.
  int q_bits() const { return scaling_.q_bits(); }

 private:
  Parameters parameters_;
  ring::Crt crt_;
  Scaling scaling_;
};

}  // namespace ap::bfv

// Curved activations of one argument, as float functions.
#pragma once

#include <cstdint>

namespace ap::nn {

enum class SmoothKind : std::uint8_t {
  sigmoid,
  tanh,
  erf,
  softsign,
  silu,
  hard_swish,
  gelu,
  gelu_tanh,
  mish,
  softplus,
  elu,
  selu,
  celu,
};

/// The function and its parameters; kinds that have none do not look at them.
struct SmoothOp {
  SmoothKind kind = SmoothKind::sigmoid;
  float alpha = 1;  ///< elu, selu, celu (positive)
  float gamma = 1;  ///< selu (positive)
  friend bool operator==(const SmoothOp&, const SmoothOp&) = default;
};

/// "silu", "hard_swish", ...
const char* name_of(SmoothKind kind);

/// The function's value. Finite for every finite x.
double smooth(const SmoothOp& op, double x);

/// Slope of the straight line through 0 that the function comes near for large x, 0 if it is bounded.
double smooth_slope(const SmoothOp& op);

}  // namespace ap::nn

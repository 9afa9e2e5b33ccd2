// How a quadratic activation (nn::QQuadratic) runs, protocol "beaver": each party drops the `shift` low bits
// of its share of x, which gives shares of t; then squares of shares (layers/activation/ot/square_step.h)
// give shares of c0 + c1 t + c2 t^2, which an activation truncates and clamps. By that t is one too small in
// about half of all cases and centred by an offset; where exact truncations are wanted, the carry of the
// dropped bits is computed too, and adds its c1 + c2 (2 t + 1) (about 13 bytes an element and six one-way
// messages).
//
// x is shared modulo 2^(shift + bits of t), and t under a ring as wide as the result of the square needs: the
// linear layer before it pays with a plaintext modulus of more bits, where extending the shares of t would
// take a comparison (about 20 bytes an element). That is DELPHI's order (eprint 2020/050, section 4.2), which
// has one wide modulus for everything.
#pragma once

#include <cstddef>

#include "layers/activation/activation_spec.h"
#include "plan/moduli.h"
#include "plan/plan.h"

namespace ap::plan {

/// The protocol's name in a plan.
inline constexpr const char* kQuadraticProtocol = "beaver";

struct QuadraticRings {
  Truncation argument;  ///< x to t; guard_bits is shift or 0
  Truncation result;    ///< c0 + c1 t + c2 t^2 to what is clamped
};

/// The rings of a quadratic for inputs within `range`; values outside it wrap. Widths may exceed
/// kMaxModulusBits.
QuadraticRings quadratic_rings(const nn::QQuadratic& op, const nn::Interval& range, int guard_bits);

/// The layer's specification, for a choice that `check_quadratic` lets pass.
activation::ActivationSpec quadratic_spec(const nn::QQuadratic& op, const ActivationChoice& choice,
                                          std::size_t elements);

/// @throws Error(input) naming the layer if the choice's widths do not fit the operation or the plan.
void check_quadratic(const ActivationChoice& choice, const Plan& plan, const nn::QuantisedNetwork& network);

/// The error in x that changes the result by one unit where the quadratic is steepest, not counting where it
/// is clamped: at least 1.
double quadratic_error_step(const nn::QQuadratic& op, const nn::Interval& range);

}  // namespace ap::plan

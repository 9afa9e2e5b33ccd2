// How a product of two private tensors (nn::QProduct) runs, protocol "ot": shares of both factors modulo 2^(width of
// the product) give shares of the product (layers/activation/ot/product_step.h), which an activation truncates and
// clamps as any accumulator.
#pragma once

#include <cstddef>

#include "layers/activation/activation_spec.h"
#include "plan/moduli.h"
#include "plan/plan.h"

namespace ap::plan {

/// The truncation of the product for factors within these ranges; its input_bits() are the width of the product, and
/// may exceed kMaxModulusBits.
Truncation product_truncation(const nn::QProduct& op, const nn::Interval& first, const nn::Interval& second,
                              int guard_bits);

/// The layer's specification, for a choice that `check_product` lets pass, of a node with these elements and channels'
/// planes (1 where both factors have the same shape).
activation::ActivationSpec product_spec(const nn::QProduct& op, const ActivationChoice& choice,
                                        std::size_t elements, std::size_t plane);

/// @throws Error(input) naming the layer if the choice does not fit the operation or the plan.
void check_product(const ActivationChoice& choice, const Plan& plan, const nn::QuantisedNetwork& network);

}  // namespace ap::plan

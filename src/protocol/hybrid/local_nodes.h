// Nodes that each party applies to its own share: integer-linear maps with public coefficients modulo the
// node's modulus.
#pragma once

#include <span>

#include "nn/ir/quantised_network.h"
#include "protocol/hybrid/share.h"

namespace ap::protocol {

/// True for Add, SumPool, Concat and Gather.
bool is_local(const nn::QOp& op);

/// The node's share, modulo `modulus`, from the shares of its inputs (modulo a multiple of it).
/// `inputs[j]` has the length of input j's shape, `input_shapes[j]` its shape.
Share apply_local(const nn::QNode& node, std::span<const ShareView> inputs,
                  std::span<const nn::Shape> input_shapes, const ShareModulus& modulus);

}  // namespace ap::protocol

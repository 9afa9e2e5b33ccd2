// The server's online part of a linear layer on shares modulo anything.
#pragma once

#include "layers/linear/plaintext/clear_conv.h"
#include "protocol/hybrid/share.h"

namespace ap::protocol {

/// W x, reduced. `x` is below the modulus, or, for a power of two, modulo a multiple of it.
Share apply_modulo(const linear::ClearConv& weights, ShareView x, const ShareModulus& modulus);

}  // namespace ap::protocol

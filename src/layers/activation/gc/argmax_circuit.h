// The position of the largest of several signed values, as a circuit for garbling.
#pragma once

#include <cstddef>

#include "mpc/garble/circuit.h"

namespace ap::activation {

/// Inputs: `count` (2..kMaxArgmaxInputs) signed values of `bits` bits, one after the other. Word: the number
/// of the largest, of the first if several are, minus the mask, mod 2^index_bits.
///
/// A knock-out tree over neighbours. A comparison takes `bits` ANDs and passing the larger value on as many,
/// which the last need not do: (2 count - 3) bits. Numbers travel along; their bits are constants as long as
/// both sides agree, or follow the comparison where they differ, so that a tree over 2^l values takes
/// 2^l - 1 - l ANDs for them in place of l for each comparison; numbers of short rows at the end take a few
/// more. The last gives the word by word gates (mpc/garble/garble.h), at no AND.
mpc::Circuit argmax_circuit(std::size_t count, int bits);

}  // namespace ap::activation

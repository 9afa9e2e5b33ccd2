// The transforms between slots and coefficients (he/ckks/special_fft.h) as matrices for evaluation under encryption:
// the radix-2 butterflies of the fast algorithm, merged into a few sparse factors (Chen, Chillotti and Song, 2018/1043;
// Cheon, Han and Hhan, 2018/1073). Bit reversal is left out: coefficients are in bit-reversed order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "he/circuits/diagonal_matrix.h"

namespace ap::circuits {

/// Matrices for `slots` slots (a power of two from 2) to be applied first to last, whose product takes values v to the
/// slots of the polynomial whose coefficients (he/ckks/special_fft.h: u = lower + i upper half) are v in bit-reversed
/// order. `merged[k]`: butterflies in matrix k, 2^(that + 1) - 1 diagonals or fewer. Entries of absolute value 1.
/// @throws Error(internal) unless `merged` adds up to log2(slots), each at least 1.
std::vector<DiagonalMatrix> slots_to_coefficients(std::size_t slots, std::span<const int> merged);
/// The inverse: takes the slots of a polynomial to its coefficients in bit-reversed order. Each butterfly halves, so that
/// values stay as large as they are, and the sum of a row's absolute values is 1.
std::vector<DiagonalMatrix> coefficients_to_slots(std::size_t slots, std::span<const int> merged);

}  // namespace ap::circuits

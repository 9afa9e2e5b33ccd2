// Transposition of bit matrices with 128 rows: OT extension makes its pads column by column and uses them row
// by row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/block.h"

namespace ap::mpc {

/// Reads a 128 x (128 tiles) bit matrix, column j (of the OT matrix) at columns + j * stride bytes, bit i of
/// it at bit i % 8 of byte i / 8; writes 128 * tiles blocks, out[i] bit j = column j bit i. stride >= 16 *
/// tiles.
void transpose_columns(const std::uint8_t* columns, std::size_t stride, std::size_t tiles, Block* out);

namespace kernels {
/// One 128 x 128 tile: the obvious loop over bits, the twin of the fast ones.
void transpose_plain(const std::uint8_t* columns, std::size_t stride, Block* out);
void transpose_sse2(const std::uint8_t* columns, std::size_t stride, Block* out);
void transpose_avx2(const std::uint8_t* columns, std::size_t stride, Block* out);
}  // namespace kernels

}  // namespace ap::mpc

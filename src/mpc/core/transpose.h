// Transposition of bit matrices with 128 rows: OT extension makes its pads column by column and uses them row
// by row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/core/block.h"

namespace ap::mpc {

/// Reads a 128 x (128 tiles) bit matrix, column j (of the OT matrix) at columns + j * stride bytes, bit i of
/// it at bit i % 8 of byte i / 8; writes 128 * tiles blocks, out[i] bit j = column j bit i. stride >= 16 *
/// tiles.
void transpose_columns(const std::uint8_t* columns, std::size_t stride, std::size_t tiles, Block* out);

/// Slices (mpc/ot/random_ot.h) of the lowest `count` <= 128 bits of 128 blocks: bit i of to[s * stride] = bit
/// s of blocks[i].
void slice_lowest(const Block* blocks, std::size_t count, Block* to, std::size_t stride);

namespace kernels {
/// slice_lowest for count <= 64, in plain code.
void slice_lowest_plain(const Block* blocks, std::size_t count, Block* to, std::size_t stride);
/// One 128 x 128 tile: the obvious loop over bits, the reference implementation of those below.
void transpose_plain(const std::uint8_t* columns, std::size_t stride, Block* out);
/// The same tile by swaps of ever smaller parts.
void transpose_swaps(const std::uint8_t* columns, std::size_t stride, Block* out);
#if defined(__x86_64__)
void slice_lowest_avx512(const Block* blocks, std::size_t count, Block* to, std::size_t stride);
void transpose_avx2(const std::uint8_t* columns, std::size_t stride, Block* out);
#endif
}  // namespace kernels

}  // namespace ap::mpc

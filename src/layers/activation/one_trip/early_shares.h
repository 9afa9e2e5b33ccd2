// XOR shares of a client's tables at a place that the server chooses online, which the server has before it speaks:
// what lets its choice bits travel with its masked input.
//
// The client has tables T of 2^w bits, the server will have a digit x. Offline they make shares of the tables rotated
// by the server's random c, T'[j] = T[j xor c], bit by bit of c: a conditional swap of T[j] and T[j xor 2^l] adds
// c_l (T[j] xor T[j xor 2^l]) to both, one product of a bit of the server with bits that the client knows (its share;
// the server's share the server swaps by itself). All products of one l come from one random product
// (mpc/ot/random_ot.h, bits), of which the client sends its D xor the real bits. So c is any, and nothing goes from
// the server to the client. Online the server reveals d = x xor c, and T'[d] = T[x].
//
// The server sees bits under D, of which it knows c_l D xor a share that the client keeps: they are uniform. The client
// sees d, uniform by c.
//
// Tables are slices of 128 instances (mpc/ot/random_ot.h): entry j of table o at ((o 2^w) + j) tiles.
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.h"
#include "layers/activation/ot/ot_bits.h"
#include "mpc/core/block.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

/// Bits of one random product for a rotation by one bit.
constexpr std::size_t rotation_bits(int tables, int width) {
  return static_cast<std::size_t>(tables) << (width - 1);
}

/// One bit `level` of the rotation. `d`, `shares`: the client's part of a random product of rotation_bits. Writes the
/// corrections. `tables` become the client's share.
void rotate_client(int width, int level, std::size_t tiles, std::span<const mpc::Block> d,
                   std::span<const mpc::Block> shares, SliceWriter& corrections,
                   std::span<mpc::Block> tables);
/// `tables`: the server's share, zero before level 0. `choice`: tiles blocks.
void rotate_server(int width, int level, std::size_t tiles, std::span<const mpc::Block> choice,
                   std::span<const mpc::Block> shares, SliceReader& corrections,
                   std::span<mpc::Block> tables);

/// out = table[index], a slice; index: `width` slices.
void look_up(int width, std::size_t tiles, std::span<const mpc::Block> table,
             std::span<const mpc::Block> index, std::span<mpc::Block> out);

/// The client's tables of a digit of carries. `y`: `width` slices of its digit. With one table: [x + y >= 2^w]; with
/// two, of position 0 and 1: [x + y + c >= 2^w] with the carry c = position xor `pointer`, a slice.
void carry_tables(int width, std::size_t tiles, std::span<const mpc::Block> y,
                  std::span<const mpc::Block> pointer, std::span<mpc::Block> tables);
/// The same for the high part, with s = x + y + c mod 2^w as a signed number: [s = 0] by position, then [s > 0].
void high_tables(int width, std::size_t tiles, std::span<const mpc::Block> y,
                 std::span<const mpc::Block> pointer, std::span<mpc::Block> tables);

}  // namespace ap::activation

// Base oblivious transfers on ristretto255: Chou and Orlandi, "The Simplest Protocol for Oblivious Transfer"
// (eprint 2015/267, figure 1), random-OT form. One message each way for all transfers:
//   sender:   y random, S = yB                       -> 32 bytes
//   receiver: x_j random, R_j = x_j B + c_j S        -> 32 bytes per transfer
//   keys:     receiver h(j, S, R_j, x_j S); sender h(j, S, R_j, y R_j) for 0, h(j, S, R_j, y (R_j - S)) for 1
// h is BLAKE2b, keyed by a name of this use, over the index and the transcript. Every received point is
// decoded and checked: an encoding that is not a group element, or one that gives the identity, ends the
// session.
//
// Against deviating parties, h a random oracle: the group has prime order, so R_j is uniform whatever S and
// c_j are, and nothing the receiver does afterwards depends on c_j but the key. Whatever points came, each of
// the two keys is a fixed value. A receiver that gets both keys of a transfer gets y R - y (R - S) = y^2 B
// from yB, which is as hard as Diffie-Hellman; index and transcript in h keep transfers apart. What the plain
// protocol lacks (Genc, Iovino, Rial, eprint 2017/370) is that a receiver need not have chosen when it has
// sent R_j: here it must prove that it has one key of each transfer before the sender relies on it
// (mpc/ot/leaf_check.h). A sender that uses its keys inconsistently is caught by the same check, or has guessed
// a choice.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/memory.h"
#include "net/channel/channel.h"
#include "random/prng.h"

namespace ap::mpc {

struct BaseOtMessages {
  net::MessageType sender_point;
  net::MessageType receiver_points;
};

using SeedPair = std::array<Seed, 2>;

/// `count` random pairs of seeds. @throws Error(peer) on a malformed point.
SecretVector<SeedPair> base_ot_send(net::Channel& channel, const BaseOtMessages& messages, Prng& prng,
                                    std::size_t count);

/// For each choice (0 or 1) that one of the sender's two seeds. @throws Error(peer) on a malformed point.
SecretVector<Seed> base_ot_receive(net::Channel& channel, const BaseOtMessages& messages, Prng& prng,
                                   std::span<const std::uint8_t> choices);

}  // namespace ap::mpc

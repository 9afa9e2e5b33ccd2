// Lookup in a public table by a shared number: what curved activations need behind their clamp.
//
// Numbers x (server) and y (client) of w bits; the table D has 2^w entries of d bits. Offline: a random
// 1-of-2^w transfer (mpc/ot/random_ot.h, lookup), which gives the client 2^w random strings P_j and the server a
// random index i and P_i; and for each bit of the value a random product, as in layers/activation/ot/ot_step.h.
// Online:
//   server -> client   e = x - i mod 2^w
//   client -> server   for j = 1 .. 2^w - 1:  P_j xor D[j + e + y] xor m,  m = P_0 xor D[e + y]
// Entry 0 would be zero and is not sent. The server takes entry i and P_i off it, which leaves D[x + y] xor m: XOR
// shares of the value, of which every bit enters the result as a constant times a shared bit.
//
// The client sees e, which the random i makes uniform. The server sees strings of which it knows P_i alone: for
// j other than i, and for m where i is not 0, another P hides what is in them; if i is 0 its share is P_0 itself.
// Every string serves one entry of one inference. That holds whatever the peer sends: e is public in effect (the
// client answers any e, which asks for some x), and wrong entries only change the server's own share, as a wrong
// table of a leaf does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/activation/ot/ot_plan.h"
#include "layers/activation/ot/ot_step.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

struct ClientLookupPreprocessing {
  SecretVector<mpc::Block> pads;
  std::vector<WordSide> terms;
};
struct ServerLookupPreprocessing {
  SecretVector<std::uint64_t> index;
  SecretVector<std::uint64_t> strings;
  std::vector<BitSide> terms;
};

ClientLookupPreprocessing prepare_client_lookup(const LookupStep& step, mpc::RandomOtSender& ots);
ServerLookupPreprocessing prepare_server_lookup(const LookupStep& step, mpc::RandomOtReceiver& ots);

/// Adds shares of the values to `shares`, modulo 2^ring. `numbers`: step.count words, used modulo 2^index_bits.
/// @throws Error(peer) on a malformed message.
void run_client_lookup(net::Channel& channel, const LookupStep& step,
                       const ClientLookupPreprocessing& material, std::span<const std::uint64_t> numbers,
                       std::span<std::uint64_t> shares);
void run_server_lookup(net::Channel& channel, const LookupStep& step,
                       const ServerLookupPreprocessing& material, std::span<const std::uint64_t> numbers,
                       std::span<std::uint64_t> shares);

}  // namespace ap::activation

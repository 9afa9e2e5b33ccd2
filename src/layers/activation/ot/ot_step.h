// One step of the `ot` protocol (layers/activation/ot/ot_plan.h) for all its instances: correlated randomness
// offline, then the two parties' online parts. With z = z_s xor z_c the shared bit that selects, A the
// server's and B the client's operand, all in Z_2^ring:
//   z (A + B) = z_s A + z_c (1 - 2 z_s) A + z_c B + z_s (1 - 2 z_c) B,
//   bit t = t_s + t_c - 2 t_s t_c,
// the middle products are bits of one party times words of the other and use one random product
// (mpc/ot/random_ot.h) each: the owner of the bit reveals it xor a random bit c, the other then its word,
// with the sign that this bit gives it, minus the random D.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/activation/ot/ot_plan.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

/// One party's part of a random product c D. The party with the bit holds c, the other D.
struct BitSide {
  SecretVector<mpc::Block> choices;
  mpc::RingWords shares;
};
struct WordSide {
  mpc::RingWords d;
  mpc::RingWords shares;
};

/// What both parties hold for one AND step: shares of a, b[i] and a b[i], slice after slice.
struct AndTriple {
  SecretVector<mpc::Block> a;
  SecretVector<mpc::Block> b;
  SecretVector<mpc::Block> products;
};

struct ClientStepPreprocessing {
  std::vector<SecretVector<mpc::Block>> leaves;  ///< random tables
  std::vector<AndTriple> triples;
  BitSide flip;
  WordSide select;
  std::vector<WordSide> terms;
};

struct ServerStepPreprocessing {
  struct LeafChoice {
    SecretVector<mpc::Block> index;
    SecretVector<mpc::Block> strings;
  };
  std::vector<LeafChoice> leaves;
  std::vector<AndTriple> triples;
  WordSide flip;
  BitSide select;
  std::vector<BitSide> terms;
};

/// What comes from the server's transfers, and what from the client's. An inference draws all of the server's before
/// all of the client's, so that neither stream waits for the other.
ClientStepPreprocessing draw_client_received(const OtStep& step, mpc::RandomOtReceiver& ots);
void draw_client_sent(const OtStep& step, mpc::RandomOtSender& ots, ClientStepPreprocessing& material);
ServerStepPreprocessing draw_server_sent(const OtStep& step, mpc::RandomOtSender& ots);
void draw_server_received(const OtStep& step, mpc::RandomOtReceiver& ots, ServerStepPreprocessing& material);

/// `words`: step.count words of at least step.program.bits bits; `shares`: the results, modulo 2^ring.
void run_client_step(net::Channel& channel, const OtStep& step, const ClientStepPreprocessing& material,
                     std::span<const std::uint64_t> words, std::span<std::uint64_t> shares);
void run_server_step(net::Channel& channel, const OtStep& step, const ServerStepPreprocessing& material,
                     std::span<const std::uint64_t> words, std::span<std::uint64_t> shares);

}  // namespace ap::activation

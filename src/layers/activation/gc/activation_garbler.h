// The client's side of the activation protocol.
//
// Who garbles. The client garbles offline and the server evaluates online, the reverse of DELPHI (eprint
// 2020/050). Offline the client already knows everything it will ever put in: its share b of the accumulator
// and the fresh mask r of the output. They are constants of the garbling: XOR with them is free, AND with one
// costs a single ciphertext or vanishes into a table, and none needs labels or transfers. The output reaches
// the party that needs it, the server, in the clear and masked. Tables and labels shrink to about half; and
// it is never the server that could garble a function which reveals the client's data.
//
// Offline                                          Online
//   server -> client  OT extension columns           server -> client  d = a xor c, c the random choice bits
//   client -> server  garbled tables                 client -> server  z = L0 xor q xor d R for each bit
// With t = q xor c R the server gets t xor z = L0 xor a R, the active label, and nothing else: q is uniform
// and used once. The server's view is its a, c, the t, and garbled material of labels it opens one per wire
// (mpc/garble/garble.h); the client's view is the pseudorandom columns and d, hidden by c. A client that garbles
// something else changes what the server computes, not what it sees; a server whose columns would open two
// labels of a wire is caught (mpc/ot/column_check.h).
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/secret_bytes.h"
#include "layers/activation/activation_spec.h"
#include "mpc/core/hash.h"
#include "mpc/ot/cot.h"

namespace ap::activation {

/// What the client keeps of one layer between the phases: one block for each bit of the server's share. Used
/// once.
class GarblerPreprocessing {
 public:
  GarblerPreprocessing() = default;
  GarblerPreprocessing(GarblerPreprocessing&&) noexcept = default;
  GarblerPreprocessing& operator=(GarblerPreprocessing&&) noexcept = default;
  bool empty() const { return masked_.empty(); }

  /// All that answering needs, for a file of the client's own. @throws Error(security) if it was used.
  void save(SecretWriter& out) const;
  /// @param spec  that of the layer it was made for. @throws the reader's error if bytes are missing.
  static GarblerPreprocessing restore(const ActivationSpec& spec, ByteReader& in);

 private:
  friend class ActivationGarbler;
  ActivationSpec spec_;
  SecretVector<mpc::Block> delta_;   ///< that of its session, alone: material may outlive the session
  SecretVector<mpc::Block> masked_;  ///< L0 xor q
};

/// One object for each session. Layers must be garbled in the order in which the server prepared them.
class ActivationGarbler {
 public:
  /// Runs the base OTs with the server's ActivationEvaluator. The channel must outlive this object.
  /// @param session  that of the connection, equal at both parties
  explicit ActivationGarbler(net::Channel& channel, const SessionKey& session, Prng prng = Prng());

  /// Offline: receives the server's columns, garbles and sends the tables.
  /// @param b      spec.inputs words of spec.share_bits() bits, below spec.in_prime if there is one: the
  ///               client's share of the accumulators
  /// @param masks  spec.outputs words of spec.out_bits bits, below spec.out_prime if there is one: r, uniform
  ///               and never used before
  /// @throws Error(input) on a bad spec or size, Error(peer) on a bad message.
  GarblerPreprocessing garble(const ActivationSpec& spec, std::span<const std::uint64_t> b,
                              std::span<const std::uint64_t> masks);

  /// Online: receives the server's choice bits and sends the labels. Consumes the material.
  /// @throws Error(security) if the material was used before.
  void answer(GarblerPreprocessing&& material) { answer(channel_, std::move(material)); }
  /// The same in another session than the one that made the material; no base OTs are needed.
  static void answer(net::Channel& channel, GarblerPreprocessing&& material);

 private:
  net::Channel& channel_;
  Prng prng_;
  mpc::HashKeys keys_;
  mpc::CotSender cots_;
  std::uint64_t tweak_ = 0;  ///< next unused tweak of the session
};

}  // namespace ap::activation

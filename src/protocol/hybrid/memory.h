// The memory that a network takes at both parties, from its package alone: known before any is taken. Nothing in it grows
// with the number of weights' polynomials, and a linear layer is held one part at a time (linear::kPartBytes).
#pragma once

#include <cstdint>

#include "protocol/hybrid/model.h"

namespace ap::protocol {

/// Bytes. What the programs themselves and their connections take is not counted.
struct MemoryNeeds {
  std::uint64_t weights = 0;  ///< at the server, for all sessions: for ciphertexts, and for its own share
  std::uint64_t model =
      0;  ///< at each party, for all sessions: where outputs lie in replies, windows of pools
  std::uint64_t keys = 0;       ///< the client's keys, expanded, at the server; the client has about as much
  std::uint64_t transfers = 0;  ///< the state of a session's oblivious transfers, at each party
  std::uint64_t layer = 0;  ///< the server's for the largest part of a linear layer, and what waits in queues
  std::uint64_t client_layer = 0;  ///< the client's
  std::uint64_t tensors = 0;  ///< the most shares that the server holds at a time online, beside an inference
  std::uint64_t client_tensors = 0;  ///< the client's shares of all tensors, until activations are prepared
  std::uint64_t client_running =
      0;  ///< what the client holds while it runs an activation, beside its inference
  std::uint64_t server_shares = 0;     ///< of linear layers, in server_inference
  std::uint64_t server_inference = 0;  ///< the server's half of a prepared inference
  std::uint64_t client_inference = 0;  ///< the client's

  /// At the server, of a session with `prepared` inferences that wait for their images.
  std::uint64_t session(std::uint64_t prepared) const;
  /// At the client, which has one inference at a time.
  std::uint64_t client() const;
};

/// Of the activation protocols that the plan leaves open, those that take more.
MemoryNeeds memory_needs(const Model& model);

/// The most bytes of uploads and replies of one preparation that are under way: the client waits for replies before it
/// sends more (but always one part), so queues hold no more of them.
inline constexpr std::uint64_t kUnderWay = 2 * linear::kPartBytes;

}  // namespace ap::protocol

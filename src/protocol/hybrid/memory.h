// The memory that a network takes at both parties, from its package alone: known before any is taken.
#pragma once

#include <cstdint>

#include "protocol/hybrid/model.h"

namespace ap::protocol {

/// Bytes. What the programs themselves and their connections take is not counted.
struct MemoryNeeds {
  std::uint64_t weights = 0;  ///< at the server, for all sessions: prepared for ciphertexts, and as integers
  std::uint64_t keys = 0;     ///< the client's keys, expanded, at the server; the client has about as much
  std::uint64_t transfers = 0;  ///< the state of a session's oblivious transfers, at each party
  std::uint64_t layer = 0;      ///< ciphertexts of the largest layer while it is prepared, at each party
  std::uint64_t server_inference = 0;  ///< the server's half of a prepared inference
  std::uint64_t client_inference = 0;  ///< the client's

  /// At the server, of a session with `prepared` inferences that wait for their images.
  std::uint64_t session(std::uint64_t prepared) const {
    return keys + transfers + layer + prepared * server_inference;
  }
  /// At the client, which has one inference at a time.
  std::uint64_t client() const { return keys + transfers + layer + client_inference; }
};

/// Of the activation protocols that the plan leaves open, those that take more.
MemoryNeeds memory_needs(const Model& model);

}  // namespace ap::protocol

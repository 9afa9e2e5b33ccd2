// The keys of one inference: for every group of parameters of the plan a secret key at the client and what
// the server needs of it. Coefficient packing needs a public key (to re-randomise replies), packing by slots
// also Galois keys, of exactly the rotations that the group's layers perform.
#pragma once

#include <cstdint>
#include <vector>

#include "bfv/batch_scheme.h"
#include "bfv/scheme.h"
#include "net/channel.h"

namespace ap::protocol {

struct BatchGroup {
  bfv::BatchContextPtr context;
  std::vector<std::uint32_t> elements;  ///< Galois elements of all its layers, ascending
};

/// Plan::groups and Plan::batch_groups.
struct HeGroups {
  std::vector<bfv::ContextPtr> coefficient;
  std::vector<BatchGroup> batch;
};

/// Memory of ServerKeys, as far as it grows with rotations.
std::size_t key_bytes(const HeGroups& groups);

class ClientKeys {
 public:
  /// Draws fresh keys.
  ClientKeys(const HeGroups& groups, Prng& prng, bfv::ErrorSource errors);
  /// Sends what the server needs.
  void send(net::Channel& channel, Prng& prng) const;

  const bfv::SecretKey& coefficient(int group) const { return coefficient_[static_cast<std::size_t>(group)]; }
  const bfv::BatchSecretKey& batch(int group) const { return batch_[static_cast<std::size_t>(group)]; }

 private:
  const HeGroups& groups_;
  bfv::ErrorSource errors_;
  std::vector<bfv::SecretKey> coefficient_;
  std::vector<bfv::BatchSecretKey> batch_;
};

class ServerKeys {
 public:
  struct Batch {
    bfv::BatchPublicKey key;
    bfv::GaloisKeys rotations;
  };
  /// Receives what ClientKeys::send sends. @throws Error(peer) unless every size is exact and every value in
  /// range.
  ServerKeys(const HeGroups& groups, net::Channel& channel);

  const bfv::PublicKey& coefficient(int group) const { return coefficient_[static_cast<std::size_t>(group)]; }
  const Batch& batch(int group) const { return batch_[static_cast<std::size_t>(group)]; }

 private:
  std::vector<bfv::PublicKey> coefficient_;
  std::vector<Batch> batch_;
};

}  // namespace ap::protocol

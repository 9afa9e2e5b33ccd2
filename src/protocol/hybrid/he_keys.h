// The keys under homomorphic encryption: for every group of parameters of the plan a secret key at the client
// and what the server needs of it. Coefficient packing needs a public key (to re-randomise replies), packing
// for SIMD also Galois keys, of exactly the rotations that the group's layers perform.
//
// Coefficient packing may fail to decrypt exactly, by design, so its keys serve one inference: what a failure
// tells of a key then tells nothing of another image. Galois keys are megabytes; where the plan's failures
// are as rare as 2^-40 for an inference they serve a session.
//
// The uniform half a of a public key is a hash of the session's key, the group and a seed of the client's
// (he/rlwe/keys.h): replies are hidden by a times the server's randomness, so the client must not choose a,
// nor prepare an attack on one that serves many sessions. The uniform halves of rotation keys come from a
// seed alone: they hide the client's secret and nothing of the server's.
#pragma once

#include <cstdint>
#include <vector>

#include "he/bfv/batch_context.h"
#include "he/bfv/context.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "net/channel/channel.h"
#include "random/session_key.h"

namespace ap::protocol {

struct BatchGroup {
  bfv::BatchContextPtr context;
  std::vector<std::uint32_t> elements;  ///< Galois elements of all its layers, ascending
};

/// Plan::groups and Plan::batch_groups.
struct HeGroups {
  std::vector<bfv::ContextPtr> coefficient;
  std::vector<BatchGroup> batch;
  bool keep_batch_keys = false;  ///< for the whole session (plan::keeps_keys)
};

/// Memory of ServerKeys, as far as it grows with rotations.
std::size_t key_bytes(const HeGroups& groups);

/// Whether keys may be made under parameters that the lattice estimate puts below security::kTargetBits.
/// Tests alone may, whose networks and rings are toys; no file and no message can ask for it.
enum class WeakParameters : std::uint8_t { refuse, allow_for_tests };

/// One object a session; renew() comes before every inference.
class ClientKeys {
 public:
  /// `groups` must outlive this object.
  /// @throws Error(security) unless every group reaches security::kTargetBits, at the largest modulus that is
  /// published under its key: that of key-switching keys, special primes included.
  ClientKeys(const HeGroups& groups, rlwe::ErrorSource errors, WeakParameters weak = WeakParameters::refuse);
  /// Draws fresh keys, but those that are kept, and sends what the server needs of them.
  void renew(net::Channel& channel, const SessionKey& session, Prng& prng);

  const rlwe::SecretKey& coefficient(int group) const {
    return coefficient_[static_cast<std::size_t>(group)];
  }
  const rlwe::SecretKey& batch(int group) const { return batch_[static_cast<std::size_t>(group)]; }

 private:
  const HeGroups& groups_;
  rlwe::ErrorSource errors_;
  std::vector<rlwe::SecretKey> coefficient_;
  std::vector<rlwe::SecretKey> batch_;
};

class ServerKeys {
 public:
  struct Batch {
    rlwe::PublicKey key;
    rlwe::GaloisKeys rotations;
  };
  explicit ServerKeys(const HeGroups& groups) : groups_(groups) {}
  /// Receives what ClientKeys::renew sends. @throws Error(peer) unless every size is exact and every value in
  /// range.
  void renew(net::Channel& channel, const SessionKey& session);

  const rlwe::PublicKey& coefficient(int group) const {
    return coefficient_[static_cast<std::size_t>(group)];
  }
  const Batch& batch(int group) const { return batch_[static_cast<std::size_t>(group)]; }

 private:
  const HeGroups& groups_;
  std::vector<rlwe::PublicKey> coefficient_;
  std::vector<Batch> batch_;
};

}  // namespace ap::protocol

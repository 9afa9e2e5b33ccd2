// The keys that a client makes for a program and a server computes with, part by part: so that neither holds more than one
// part twice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "he/circuits/bootstrap_keys.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "he_only/plan/program.h"
#include "random/session_key.h"

namespace ap::he_only {

/// The contexts of a program, shared by whoever makes keys, uses them and encrypts. Immutable.
struct Contexts {
  explicit Contexts(const Program& program, const Ring& ring);
  std::vector<rlwe::ContextPtr> contexts;  ///< by number; the first is the largest
  rlwe::ContextPtr answer;                 ///< of the lowest prime alone, in which answers are hidden
  std::optional<circuits::BootstrapParameters> bootstrap;
  std::optional<circuits::BootstrapContexts> bootstrap_contexts;
};

/// What a server has of a client. Parts come in one order: the public key for answers; for each context the relinearisation key
/// and the rotation keys, as one part; the bootstrap's.
class EvaluationKeys {
 public:
  /// Program and contexts must outlive it. @param session  that both parties have drawn; of no session: tests
  EvaluationKeys(const Program& program, const Contexts& contexts, SessionKey session = {});

  /// Bytes of every part.
  std::vector<std::uint64_t> part_bytes() const;
  /// The next part. @throws Error(peer) unless it is valid and complete.
  void take(ByteView part);
  bool complete() const { return taken_ == parts(); }

  const rlwe::PublicKey& answer() const { return *answer_; }
  const rlwe::RelinearisationKey& relinearisation(std::size_t context) const;
  const rlwe::GaloisKeys& rotations(std::size_t context) const;
  const circuits::BootstrapKeys& bootstrap() const { return *bootstrap_; }

 private:
  std::size_t parts() const { return part_bytes().size(); }
  const Program& program_;
  const Contexts& contexts_;
  SessionKey session_;
  std::size_t taken_ = 0;
  std::optional<rlwe::PublicKey> answer_;
  std::vector<std::optional<rlwe::RelinearisationKey>> relinearisation_;
  std::vector<std::optional<rlwe::GaloisKeys>> rotations_;
  std::optional<circuits::BootstrapKeys> bootstrap_;
};

/// The client's secret, and the keys that it publishes.
class ClientKeys {
 public:
  /// Program and contexts must outlive it.
  ClientKeys(const Program& program, const Contexts& contexts, Prng& prng, SessionKey session = {});
  /// Makes one part after another, in their order, and hands each out; fresh ones at each call.
  void publish(Prng& prng, const std::function<void(Bytes part)>& take) const;
  const rlwe::SecretKey& secret() const { return secret_; }
  const rlwe::SecretKey& answer_secret() const { return answer_secret_; }
  const rlwe::SecretKey& input_secret() const { return input_secret_; }

 private:
  const Program& program_;
  const Contexts& contexts_;
  SessionKey session_;
  rlwe::SecretKey secret_, answer_secret_, input_secret_;
};

}  // namespace ap::he_only

// The client's side of a session (docs/architecture.md, "The protocol in one page"). One session holds one
// connection and one set of base OTs for each activation protocol; every inference has its own HE keys, masks
// and correlated randomness, made by prepare() and used up by infer().
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "he/rlwe/polynomial.h"
#include "net/channel/channel.h"
#include "package/package.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/observer.h"
#include "protocol/hybrid/report.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::protocol {

struct ClientOptions {
  rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial;
  Observer observer;                             ///< tests only
  WeakParameters weak = WeakParameters::refuse;  ///< tests only
  /// Chooses the activation protocols that the plan leaves open, by the link, which is measured then. None:
  /// all of them are `ot`.
  ProtocolChooser choose;
};

/// What infer() returns of a package that reveals the label alone, if what was opened is no class. Only a
/// server that deviates causes it. The session goes on as always: an end, a retry or a complaint that the
/// server can see would tell it something of the label.
inline constexpr std::int64_t kNoClass = -1;

class ClientSession {
 public:
  /// Shakes hands: both sides must speak the same protocol version and hold the same package id.
  /// @throws Error(security), before anything is sent, if parameters of the model are below 128 bits;
  /// Error(peer) if the server refuses, serves another package or does not answer.
  ClientSession(const Model& model, const package::PackageId& id, net::Channel& channel,
                ClientOptions options = {});
  ~ClientSession();

  /// The offline phase of one inference: everything that does not depend on the image.
  /// @throws Error(peer) if the server refuses because its inferences are used up; the session goes on, and
  /// inferences prepared before can still be run.
  void prepare();
  /// The protocol of each activation, as the plan says or the link decides, which the first call measures.
  const std::vector<ActivationProtocol>& protocols() const;
  /// How many prepared inferences are waiting.
  std::size_t prepared() const;

  /// Hands the oldest prepared inference (prepares one if there is none) to the stores of both parties, for a
  /// later session. It is gone from this one, whatever happens.
  /// @throws Error(peer) if the server keeps no more, Error(input) if our own store is full or fails; a
  /// failure to write ends the session.
  PreprocessingId store(PreprocessingStore& store);

  enum class Use : std::uint8_t {
    ready,    ///< it is now the next that infer() consumes
    taken,    ///< our store has none of this id (any more)
    unknown,  ///< the server has none; our half stays, for the server that it was prepared with
  };
  /// Takes a stored inference out of the stores of both parties, the server's first; ours before anything of it is used.
  /// @throws Error(input) if our half cannot be used (PreprocessingStore::read), or is gone when the server has given out
  /// its own, which ends the session.
  Use use(PreprocessingStore& store, const PreprocessingId& id);

  /// The online phase: consumes the oldest prepared inference (prepares one if there is none) and returns the
  /// logits in units of the logits' scale; of a package that reveals the label alone, the best class, one
  /// value (the first class if several have the largest logit), or kNoClass. `input` holds the quantised
  /// image in the input node's layout and range.
  SecretVector<std::int64_t> infer(std::span<const std::int32_t> input);

  /// What the last completed inference cost, its own offline phase included.
  const Report& report() const;

  /// Whether the session can go on: no error has left a phase half done.
  bool whole() const;
  /// Tells the server that this session is over.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::protocol

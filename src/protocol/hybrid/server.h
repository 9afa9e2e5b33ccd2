// The server's side of a session (docs/architecture.md, "The protocol in one page").
#pragma once

#include <functional>
#include <memory>

#include "he/rlwe/polynomial.h"
#include "net/channel/channel.h"
#include "package/package.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/observer.h"
#include "protocol/hybrid/statistics.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::protocol {

/// Whether one more inference may be prepared.
struct Permission {
  PrepareAnswer answer = PrepareAnswer::granted;
  std::uint64_t limit = 0;  ///< what is used up, in inferences, where the answer says so
};

struct ServerOptions {
  rlwe::ErrorSource errors = rlwe::ErrorSource::centred_binomial;
  Observer observer;             ///< tests only
  std::size_t max_prepared = 4;  ///< inferences that one session may prepare ahead; bounds its memory
  /// Called once for each inference that a client prepares, before anything is sent for it; what it grants
  /// must be counted durably by then. Without it everything is granted.
  std::function<Permission()> may_prepare;
  std::function<void()> on_inference;  ///< called before the result of each inference is sent
  ShareStatistics share_statistics = ShareStatistics::none;  ///< with the client
  PreprocessingStore* store = nullptr;  ///< for prepared inferences that outlive their session; may be shared
  StoreOwner store_owner;               ///< whom what the client stores is counted for
  std::function<void(const std::string&)> on_refusal;  ///< gets a sentence for the log: why a greeting failed
  /// Called after every command that brings a classification nearer: an inference was prepared, used, stored
  /// or answered. What a client can do for ever at no cost (probes, asking for halves that are not there) is
  /// not among them.
  std::function<void()> on_progress;
  std::function<void()> on_probe;                            ///< called after every probe
  std::function<void(const std::string&)> on_store_failure;  ///< gets a sentence; the client is only refused
  /// Called when a consistency check of the oblivious transfers has ended the session, whose material is
  /// gone. It can tell the client as much as an inference (docs/deviating-parties.md), and is counted as one:
  /// checks fail only while an inference is prepared that may_prepare has granted.
  std::function<void()> on_failed_check;
};

/// The network with everything that is computed once and shared by all sessions: weights in NTT form and as
/// integers. Immutable after construction.
class ServerModel {
 public:
  explicit ServerModel(const package::Package& package);
  /// The same with the package's model, where there is one already.
  ServerModel(const package::Package& package, Model model);
  ~ServerModel();
  const Model& model() const;
  const package::PackageId& id() const;
  /// Bytes of the prepared weights.
  std::size_t prepared_bytes() const;
  /// One session's preprocessing for one prepared inference, in bytes (tables, labels and shares).
  std::size_t preprocessing_bytes() const;
  /// What preparing one inference takes besides, while it lasts: the client's keys, expanded.
  std::size_t key_bytes() const;

  struct Prepared;
  const Prepared& prepared() const { return *prepared_; }

 private:
  std::unique_ptr<Prepared> prepared_;
};

/// The probes that a client may send between two commands that count as progress; ours sends far fewer.
inline constexpr int kMaxProbes = 64;

/// Serves a connection whose greeting has been answered with Welcome::ready, until the client says goodbye.
/// @throws mpc::FailedCheck, an Error(peer), if the client's oblivious transfers are inconsistent;
///         Error(peer) if the client misbehaves, is silent longer than the channel's deadline, or disappears.
void serve_greeted(const ServerModel& model, net::Channel& channel, const ServerOptions& options = {});

/// The greeting, and serve_greeted if the client can be served.
void serve_session(const ServerModel& model, net::Channel& channel, const ServerOptions& options = {});

}  // namespace ap::protocol

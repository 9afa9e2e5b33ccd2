// The server's side of a session by homomorphic encryption alone: it takes a client's keys, then images, and answers each
// with one message. Nothing that it does depends on a value that it cannot read.
#pragma once

#include <functional>
#include <memory>

#include "he_only/package/package.h"
#include "he_only/run/evaluator.h"
#include "net/channel/channel.h"
#include "protocol/hybrid/server.h"

namespace ap::protocol::he {

/// A network with its weights encoded, shared by all sessions. Immutable.
class ServerModel {
 public:
  /// @throws Error(input) if the package is not a server's
  explicit ServerModel(he_only::Package package);
  const package::PackageId& id() const { return package_.id; }
  const he_only::Package& package() const { return package_; }
  const he_only::Contexts& contexts() const { return contexts_; }
  const he_only::Evaluator& evaluator() const { return evaluator_; }

 private:
  he_only::Package package_;
  he_only::Contexts contexts_;
  he_only::Evaluator evaluator_;
};

/// Bytes, at most: the encoded weights, and a session with its keys and an image under way.
struct MemoryNeeds {
  std::uint64_t weights = 0, session = 0;
};
MemoryNeeds memory_needs(const he_only::Package::Private& network);

struct ServerOptions {
  /// Called once for each image, before anything is computed; what it grants is counted by then. Without it all is granted.
  std::function<Permission()> may_infer;
  /// Called when an image has come; what it returns is held until its answer is sent or the session fails.
  std::function<std::shared_ptr<void>()> on_image;
  std::function<void()> on_inference;  ///< before each answer is sent
  std::function<void()> on_progress;   ///< after keys were taken and after every step
};

/// Serves a connection whose greeting has been answered with Welcome::ready, until the client says goodbye.
/// @throws Error(peer) if the client misbehaves, is silent longer than the channel's deadline, or disappears
void serve_greeted(const ServerModel& model, net::Channel& channel, const ServerOptions& options = {});
/// The greeting, and serve_greeted if the client can be served.
void serve_session(const ServerModel& model, net::Channel& channel, const ServerOptions& options = {});

}  // namespace ap::protocol::he

// The client's side of a session by homomorphic encryption alone: keys once, then for each image one message up and one
// answer down. Answers are decrypted here and nothing of them goes back: what a decryption shows of its noise would help
// whoever learnt it against the secret key (docs/threat-model.md).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/memory.h"
#include "he_only/package/package.h"
#include "net/channel/channel.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/report.h"

namespace ap::protocol::he {

struct ClientOptions {
  std::chrono::milliseconds patience{0};        ///< longest wait for a place
  std::function<void(const Waiting&)> on_wait;  ///< gets what the server says meanwhile
  /// Gets how many steps of how many the server has done of the image at hand.
  std::function<void(std::size_t done, std::size_t all)> on_step;
};

class ClientSession {
 public:
  /// Greets the server. `package` and `channel` must outlive it. @throws Error(security), before anything is sent, if keys would
  /// have less than 128 bits of security; Error(peer) if the server refuses
  ClientSession(const he_only::Package& package, net::Channel& channel, ClientOptions options = {});
  ~ClientSession();

  /// Makes the keys and sends them; done by the first `infer` if not before.
  void send_keys();
  /// The scores of a normalised image. @throws Error(peer), Error(input) if it has a wrong number of values
  SecretVector<double> infer(std::span<const float> image);
  /// Tells the server that the session is over.
  void finish();

  /// Without the server's processor time, which it does not tell.
  const Cost& keys_cost() const;
  /// Of the last image.
  const Cost& image_cost() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::protocol::he

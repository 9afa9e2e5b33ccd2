// The two messages with which a session begins: the client says its version and package, the server whether
// it serves that, or how long the client may wait (docs/wire-format.md). Apart from the session, so that a server can tell who is worth one.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/channel/channel.h"
#include "package/package.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/statistics.h"

namespace ap::protocol {

inline constexpr std::size_t kHelloBytes = sizeof(std::uint16_t) + std::tuple_size_v<package::PackageId>;

/// What a client says first, unjudged.
struct Hello {
  int version = 0;
  package::PackageId package{};  ///< that it wants to use
};
/// Waits for it. @throws Error(peer) if something else comes.
Hello receive_hello(net::Channel& channel);

struct Greeting {
  Welcome status = Welcome::ready;  ///< ready, other_package or other_version
  std::string refusal;              ///< why it is not ready: a sentence for the log
};

/// The same, judged by a server of this package alone. @throws Error(peer) if something else comes.
Greeting receive_greeting(net::Channel& channel, const package::PackageId& id);

/// What a client appends to the path of its request for a WebSocket if it is ready to wait for a place; and if it only
/// prepares for later, so that others go first.
inline constexpr std::string_view kWaits = "?wait", kAhead = "?ahead";
/// The largest place in a queue, and the longest estimate, that a client believes.
inline constexpr std::uint32_t kMaxPlace = 1'000'000, kMaxWaitSeconds = 86'400;

/// To a client that waits: its place in the queue, from 1, and about how long until its turn.
void answer_waiting(net::Channel& channel, const package::PackageId& id, std::size_t place,
                    std::chrono::seconds about);
/// To a client that would wait, but for whom there is no place in the queue either: when to come again.
void answer_busy(net::Channel& channel, const package::PackageId& id, std::chrono::seconds again);

/// `share`: what the server will tell of its own cost, if the status is ready.
void answer_greeting(net::Channel& channel, const package::PackageId& id, Welcome status,
                     ShareStatistics share = ShareStatistics::none);

/// What a server says to a client that waits for a place.
struct Waiting {
  std::uint32_t place = 0;  ///< in the queue, from 1
  std::chrono::seconds about{0};
};

/// The server has no place, and no place in its queue either.
class ServerBusy : public Error {
 public:
  ServerBusy(const std::string& sentence, std::chrono::seconds when)
      : Error(ErrorCode::peer, sentence), again(when) {}
  std::chrono::seconds again;  ///< when to come again, as the server says; 0: it does not
};

/// The client's side: says hello, and waits for a place no longer than `patience` where the server says to wait; `on_wait`, if
/// there is one, gets what it says meanwhile. Returns what the server will tell of its own cost.
/// @throws ServerBusy if there is no place by then; Error(peer) if it refuses, serves another package or misbehaves.
ShareStatistics greet_server(net::Channel& channel, const package::PackageId& id,
                             std::chrono::milliseconds patience,
                             const std::function<void(const Waiting&)>& on_wait);

}  // namespace ap::protocol

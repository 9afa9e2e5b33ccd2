// The two messages with which a session begins: the client says its version and package, the server whether
// it serves that (docs/wire-format.md). Apart from the session, so that a server can tell who is worth one.
#pragma once

#include <string>

#include "net/channel/channel.h"
#include "package/package.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/statistics.h"

namespace ap::protocol {

inline constexpr std::size_t kHelloBytes = sizeof(std::uint16_t) + std::tuple_size_v<package::PackageId>;

struct Greeting {
  Welcome status = Welcome::ready;  ///< ready, other_package or other_version
  std::string refusal;              ///< why it is not ready: a sentence for the log
};

/// Waits for the client's greeting. @throws Error(peer) if something else comes.
Greeting receive_greeting(net::Channel& channel, const package::PackageId& id);

/// `share`: what the server will tell of its own cost, if the status is ready.
void answer_greeting(net::Channel& channel, const package::PackageId& id, Welcome status,
                     ShareStatistics share = ShareStatistics::none);

}  // namespace ap::protocol

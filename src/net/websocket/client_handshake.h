// The client's side of the handshakes: TCP, TLS with a check of the server's certificate, the WebSocket
// upgrade.
#pragma once

#include <memory>
#include <string>

#include "net/websocket/connection.h"
#include "net/websocket/credentials.h"
#include "net/websocket/io_threads.h"
#include "net/websocket/url.h"

namespace ap::net {

/// Looks the host up, does everything and waits for it, at most `wait` after the look-up. The connection's
/// handlers run on `io`. `peer`: how sentences call the server. Not started yet.
/// @throws Error(input) if the trust or the certificate cannot be used, Error(peer) if no server answers or
/// it does not admit us, Error(security) if its certificate is not trusted.
std::shared_ptr<Connection> dial(IoThreads& io, const ServerUrl& url, const TlsTrust& trust,
                                 const Credentials& credentials, const std::string& peer,
                                 std::chrono::milliseconds wait, const ChannelLimits& limits);

}  // namespace ap::net

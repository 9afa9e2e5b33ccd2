// How a client reaches its server: where it is, whom the client trusts, and how the client proves who it is.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/memory.h"
#include "net/channel/channel.h"
#include "net/websocket/credentials.h"
#include "net/websocket/tls.h"
#include "protocol/hybrid/greeting.h"

namespace ap::app {

struct ConnectOptions {
  std::string url;  ///< wss://HOST[:PORT]; HOST:PORT alone does as well
  /// The one certificate that is accepted: its SHA-256 fingerprint in hexadecimal, or a PEM file.
  std::string trust;
  /// PEM file of authorities whose certificates are accepted; without it and `trust`, those of the system.
  std::filesystem::path authorities;
  std::filesystem::path certificate, key;      ///< PEM: what this client proves itself with; both or none
  SecretVector<char> token;                    ///< the same by token; empty: none
  std::chrono::milliseconds wait{10'000};      ///< longest, for a connection
  std::chrono::milliseconds deadline{60'000};  ///< longest, for the server, once connected
  /// Whether the server may have this client wait for a place; else it sends it away at once.
  bool may_queue = false;
  /// Whether this client only prepares for later: the server gives its place to others when they need one.
  bool ahead = false;
};

/// @throws Error(input) if `trust` is neither a fingerprint nor a PEM certificate.
net::TlsTrust trust_from(const std::string& trust, const std::filesystem::path& authorities);

/// A token as people keep it, with white space at its end. @throws Error(input) if it is none.
SecretVector<char> token_from(SecretVector<char> text);
/// The token in a file. @throws Error(input) if there is none, Error(security) if others may read it.
SecretVector<char> read_token(const std::filesystem::path& file);

/// A connection of which every wait is bounded.
/// @throws Error(input) for what cannot be used, Error(peer) if no server answers or it does not admit us,
/// Error(security) if its certificate is not trusted.
std::unique_ptr<net::Channel> connect(const ConnectOptions& options);

/// Calls attempt(time left) until it throws no protocol::ServerBusy any more, or `patience` is over: then that error leaves.
/// Between two calls it waits as long as the server says, at least a second, and says so by `told`; `cancelled`, if there is
/// one, is asked meanwhile.
void while_busy(std::chrono::milliseconds patience,
                const std::function<void(std::chrono::milliseconds left)>& attempt,
                const std::function<void(const protocol::Waiting&)>& told,
                const std::function<bool()>& cancelled = {});

}  // namespace ap::app

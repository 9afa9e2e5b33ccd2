// How a client proves who it is: with a token, with a certificate whose key it holds, or not at all. Both
// travel inside TLS, the token after the client has verified the server.
#pragma once

#include <any>
#include <functional>
#include <string>
#include <string_view>

#include "base/memory.h"
#include "net/websocket/tls.h"

namespace ap::net {

/// In front of a token in the header "Authorization".
inline constexpr std::string_view kBearer = "Bearer ";

/// What a client has. Either part may be empty.
struct Credentials {
  SecretVector<char> token;  ///< sent as "Authorization: Bearer TOKEN" (RFC 6750, section 2.1)
  TlsIdentity certificate;   ///< shown when the server asks for one, with a proof that its key is held
};

/// What a server has seen of them in the handshakes.
struct ShownCredentials {
  SecretVector<char> token;        ///< as sent, not checked in any way; empty if none
  std::string certificate_sha256;  ///< 64 hexadecimal digits; empty if no certificate was shown
};

/// Decides whether a client may come in: what it returns is kept for whoever accepts the client
/// (ServedChannel::admitted_as); a value without content refuses. Called once for each connection, on a
/// thread of the network, which it must not hold up.
using Admission = std::function<std::any(const ShownCredentials&)>;

}  // namespace ap::net

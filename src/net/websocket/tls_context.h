// OpenSSL settings of both sides, kept away from the public headers.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/websocket/tls.h"

namespace ap::net {

using TlsContext = boost::asio::ssl::context;

/// `ask_certificate`: clients are asked for a certificate. They need not have one, and any is taken whose key
/// they prove to hold, whoever signed it: peer_fingerprint() says which it was.
/// @throws Error(input) if OpenSSL refuses the certificate or the key.
std::shared_ptr<TlsContext> make_server_context(const TlsIdentity& identity, bool ask_certificate = false);

/// `own`: the certificate to show when asked; may be empty.
/// @throws Error(input) if the file of authorities or the certificate cannot be used.
std::shared_ptr<TlsContext> make_client_context(const TlsTrust& trust, const TlsIdentity& own = {});

/// Prepares one client connection: the name sent to the server and the name its certificate must carry.
void expect_host(SSL* ssl, const TlsTrust& trust, const std::string& host);

/// After the handshake: SHA-256 of the peer's certificate as 64 hexadecimal digits; empty if it showed none.
std::string peer_fingerprint(SSL* ssl);

/// After the handshake: true unless the trust pins another certificate.
bool matches_pin(SSL* ssl, const TlsTrust& trust);

}  // namespace ap::net

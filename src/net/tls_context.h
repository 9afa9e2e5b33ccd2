// OpenSSL settings of both sides, kept away from the public headers.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/tls.h"

namespace ap::net {

using TlsContext = boost::asio::ssl::context;

/// @throws Error(input) if OpenSSL refuses the certificate or the key.
std::shared_ptr<TlsContext> make_server_context(const TlsIdentity& identity);

/// @throws Error(input) if the file of authorities cannot be used.
std::shared_ptr<TlsContext> make_client_context(const TlsTrust& trust);

/// Prepares one client connection: the name sent to the server and the name its certificate must carry.
void expect_host(SSL* ssl, const TlsTrust& trust, const std::string& host);

/// After the handshake: true unless the trust pins another certificate.
bool matches_pin(SSL* ssl, const TlsTrust& trust);

}  // namespace ap::net

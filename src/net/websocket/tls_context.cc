#include "net/websocket/tls_context.h"

#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <filesystem>

#include "base/error.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;

std::shared_ptr<TlsContext> make_context(TlsContext::method method) {
  auto context = std::make_shared<TlsContext>(method);
  SSL_CTX* ctx = context->native_handle();
  AP_ASSERT(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
  AP_ASSERT(SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1);
  // 128-bit keys are this system's security level and the cheapest of the three on both parties.
  AP_ASSERT(SSL_CTX_set_ciphersuites(
                ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1);
  // Connections are never resumed: every session has a handshake of its own.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  AP_ASSERT(SSL_CTX_set_num_tickets(ctx, 0) == 1);
  return context;
}

void use_identity(TlsContext& context, const TlsIdentity& identity, const char* whose) {
  boost::system::error_code error;
  context.use_certificate_chain(asio::buffer(identity.certificate_pem), error);
  if (error) fail_input("the {}'s certificate cannot be used: {}", whose, error.message());
  context.use_private_key(asio::buffer(identity.key_pem.data(), identity.key_pem.size()), TlsContext::pem,
                          error);
  if (error) fail_input("the {}'s private key cannot be used: {}", whose, error.message());
}

}  // namespace

std::shared_ptr<TlsContext> make_server_context(const TlsIdentity& identity, bool ask_certificate) {
  auto context = make_context(TlsContext::tls_server);
  use_identity(*context, identity, "server");
  if (ask_certificate) {
    // Who signed it does not matter, because certificates are known by fingerprint; TLS proves that the key
    // is held.
    context->set_verify_mode(asio::ssl::verify_peer);
    context->set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  }
  return context;
}

std::shared_ptr<TlsContext> make_client_context(const TlsTrust& trust, const TlsIdentity& own) {
  auto context = make_context(TlsContext::tls_client);
  if (!own.certificate_pem.empty()) use_identity(*context, own, "client");
  boost::system::error_code error;
  switch (trust.kind) {
    case TlsTrust::Kind::system:
      context->set_default_verify_paths(error);
      break;
    case TlsTrust::Kind::authorities:
      context->load_verify_file(trust.value, error);
      break;
    case TlsTrust::Kind::pinned:
      // The handshake still proves that the server holds the certificate's key; matches_pin() then decides.
      context->set_verify_mode(asio::ssl::verify_none);
      return context;
  }
  if (error) fail_input("the trusted certificates {} cannot be used: {}", trust.value, error.message());
  context->set_verify_mode(asio::ssl::verify_peer);
  return context;
}

void expect_host(SSL* ssl, const TlsTrust& trust, const std::string& host) {
  boost::system::error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  // Server name indication takes names only (RFC 6066, section 3).
  if (not_an_address) AP_ASSERT(SSL_set_tlsext_host_name(ssl, host.c_str()) == 1);
  if (trust.kind == TlsTrust::Kind::pinned) return;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (not_an_address) {
    AP_ASSERT(X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1);
  } else {
    AP_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1);
  }
}

std::string peer_fingerprint(SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(ssl), X509_free);
  std::array<unsigned char, 32> digest{};
  if (!leaf || X509_digest(leaf.get(), EVP_sha256(), digest.data(), nullptr) != 1) return "";
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

bool matches_pin(SSL* ssl, const TlsTrust& trust) {
  return trust.kind != TlsTrust::Kind::pinned || peer_fingerprint(ssl) == trust.value;
}

}  // namespace ap::net

#include "net/websocket/connection_reasons.h"

#include <openssl/x509.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>

#include "net/channel/channel_errors.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

/// The TCP connection ended without TLS's and WebSocket's goodbyes: a killed process, or a proxy.
bool broken_off(const error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
         error == asio::error::connection_reset || error == asio::error::broken_pipe ||
         error == http::error::end_of_stream || error == http::error::partial_message ||
         error == asio::error::connection_aborted;
}

}  // namespace

std::string no_server(const std::string& peer, const error_code& error) {
  return fmt::format("{} does not answer ({}); check the address and that the server is running", peer,
                     error.message());
}

ConnectionEnd handshake_failure(const std::string& peer, const error_code& error, long verify_result) {
  if (verify_result != X509_V_OK) {
    return {ErrorCode::security,
            fmt::format("{} showed a certificate that is not trusted ({}); check the address, or give the "
                        "server's certificate file or fingerprint (--trust), or its authority (--ca)",
                        peer, X509_verify_cert_error_string(verify_result))};
  }
  if (broken_off(error)) {
    return {ErrorCode::peer,
            fmt::format("{} broke off the connection during the TLS or WebSocket handshake", peer)};
  }
  if (error.category() == asio::error::get_ssl_category()) {
    return {ErrorCode::peer, fmt::format("{} does not speak TLS 1.3 with us ({})", peer, error.message())};
  }
  return {ErrorCode::peer, fmt::format("{} does not speak WebSocket with us ({})", peer, error.message())};
}

std::string wrong_certificate(const std::string& peer) {
  return fmt::format(
      "{} showed another certificate than the one with the given fingerprint; check the address and "
      "ask the operator for the current fingerprint",
      peer);
}

std::string not_admitted(const std::string& peer, bool showed_any) {
  return showed_any
             ? fmt::format(
                   "{} does not know the token or certificate that this client has; ask its operator for one",
                   peer)
             : fmt::format(
                   "{} serves only clients that it knows; ask its operator for a token or certificate", peer);
}

std::string end_of_connection(const std::string& peer, const error_code& error, std::size_t frame_limit) {
  // Beast aborts what was about to be sent when the peer's goodbye has arrived.
  if (error == websocket::error::closed || error == asio::error::operation_aborted)
    return closed_by_peer(peer);
  if (broken_off(error)) return fmt::format("{} broke off the connection", peer);
  if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
    return fmt::format("{} sent a WebSocket message of more than {} bytes", peer, frame_limit);
  }
  if (error.category() == make_error_code(websocket::error::closed).category()) {
    return fmt::format("{} broke the WebSocket protocol ({})", peer, error.message());
  }
  if (error.category() == asio::error::get_ssl_category()) {
    return fmt::format("{} broke the TLS protocol ({})", peer, error.message());
  }
  return fmt::format("the connection to {} failed ({})", peer, error.message());
}

}  // namespace ap::net

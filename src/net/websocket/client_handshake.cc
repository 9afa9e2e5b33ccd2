#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic ignored "-Wtsan"  // as in connection.cc
#endif

#include "net/websocket/client_handshake.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "net/websocket/connection_reasons.h"
#include "net/websocket/contained.h"
#include "net/websocket/stream.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

class ClientHandshake : public std::enable_shared_from_this<ClientHandshake> {
 public:
  ClientHandshake(const boost::asio::any_io_executor& executor, ServerUrl url, TlsTrust trust,
                  const Credentials& credentials, std::string peer);
  /// Looks the host up, does everything and waits for it, at most `wait` after the look-up.
  /// @throws Error(peer) if no server answers or it does not admit us, Error(security) if its certificate is
  /// not trusted.
  std::unique_ptr<WebSocketStream> run(std::chrono::milliseconds wait);

  /// An exception in a handler.
  void failed(const std::exception& error);

 private:
  struct Result {
    std::unique_ptr<WebSocketStream> stream;
    ConnectionEnd failure;
  };
  void dial(const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);
  void shake_tls();
  void upgrade();
  void finish(ConnectionEnd failure);

  const std::shared_ptr<TlsContext> tls_;
  const ServerUrl url_;
  const TlsTrust trust_;
  const std::string peer_;
  SecretVector<char> token_;  ///< until it is sent
  const bool has_certificate_;
  std::unique_ptr<WebSocketStream> stream_;
  boost::asio::steady_timer timer_;
  boost::beast::websocket::response_type answer_;
  std::promise<Result> result_;
  bool over_ = false;
};

ClientHandshake::ClientHandshake(const asio::any_io_executor& executor, ServerUrl url, TlsTrust trust,
                                 const Credentials& credentials, std::string peer)
    : tls_(make_client_context(trust, credentials.certificate)),
      url_(std::move(url)),
      trust_(std::move(trust)),
      peer_(std::move(peer)),
      token_(credentials.token),
      has_certificate_(!credentials.certificate.certificate_pem.empty()),
      stream_(make_stream(tcp::socket(executor), *tls_)),
      timer_(executor) {}

std::unique_ptr<WebSocketStream> ClientHandshake::run(std::chrono::milliseconds wait) {
  error_code unknown;
  tcp::resolver resolver(stream_->get_executor());
  const auto found = resolver.resolve(url_.host, std::to_string(url_.port), unknown);
  if (unknown) fail_peer("the host {} of {} was not found ({})", url_.host, peer_, unknown.message());
  const std::vector<tcp::endpoint> endpoints(found.begin(), found.end());
  asio::post(stream_->get_executor(), contained(shared_from_this(), [this, endpoints, wait] {
               timer_.expires_after(wait);
               timer_.async_wait(contained(shared_from_this(), [this, wait](error_code cancelled) {
                 if (cancelled) return;
                 finish({ErrorCode::peer,
                         fmt::format("{} did not complete the TLS and WebSocket handshakes within {} s",
                                     peer_, std::chrono::duration<double>(wait).count())});
               }));
               dial(endpoints);
             }));
  Result result = result_.get_future().get();
  if (!result.stream) throw Error(result.failure.code, result.failure.what);
  return std::move(result.stream);
}

void ClientHandshake::dial(const std::vector<tcp::endpoint>& endpoints) {
  asio::async_connect(socket_of(*stream_), endpoints,
                      contained(shared_from_this(), [this](error_code error, const tcp::endpoint&) {
                        if (over_) return;
                        if (error) return finish({ErrorCode::peer, no_server(peer_, error)});
                        shake_tls();
                      }));
}

void ClientHandshake::shake_tls() {
  set_socket_options(socket_of(*stream_));
  SSL* const ssl = stream_->next_layer().native_handle();
  expect_host(ssl, trust_, url_.host);
  stream_->next_layer().async_handshake(
      asio::ssl::stream_base::client, contained(shared_from_this(), [this, ssl](error_code error) {
        if (over_) return;
        if (error) return finish(handshake_failure(peer_, error, SSL_get_verify_result(ssl)));
        if (!matches_pin(ssl, trust_)) return finish({ErrorCode::security, wrong_certificate(peer_)});
        upgrade();
      }));
}

void ClientHandshake::upgrade() {
  const bool has_token = !token_.empty();
  if (has_token) {
    stream_->set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      SecretVector<char> value(kBearer.begin(), kBearer.end());
      value.insert(value.end(), token_.begin(), token_.end());
      request.set(http::field::authorization, beast::string_view(value.data(), value.size()));
    }));
  }
  stream_->async_handshake(
      answer_, url_.authority(), url_.path,
      contained(shared_from_this(), [this, has_token](error_code error) {
        if (over_) return;
        if (error == websocket::error::upgrade_declined && answer_.result() == http::status::unauthorized) {
          return finish({ErrorCode::peer, not_admitted(peer_, has_token || has_certificate_)});
        }
        if (error) return finish(handshake_failure(peer_, error, X509_V_OK));
        stream_->set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));
        over_ = true;
        timer_.cancel();
        result_.set_value({std::move(stream_), {}});
      }));
}

void ClientHandshake::finish(ConnectionEnd failure) {
  if (std::exchange(over_, true)) return;
  timer_.cancel();
  drop(socket_of(*stream_));
  result_.set_value({nullptr, std::move(failure)});
}

void ClientHandshake::failed(const std::exception& error) {
  finish({ErrorCode::internal, fmt::format("the connection to {} failed ({})", peer_, error.what())});
}

}  // namespace

std::shared_ptr<Connection> dial(IoThreads& io, const ServerUrl& url, const TlsTrust& trust,
                                 const Credentials& credentials, const std::string& peer,
                                 std::chrono::milliseconds wait, const ChannelLimits& limits) {
  const auto handshake =
      std::make_shared<ClientHandshake>(asio::any_io_executor(io.strand()), url, trust, credentials, peer);
  return std::make_shared<Connection>(handshake->run(wait), peer, limits);
}

}  // namespace ap::net

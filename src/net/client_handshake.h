// The client's side of the handshakes: TCP, TLS with a check of the server's certificate, the WebSocket
// upgrade.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.h"
#include "net/connection_end.h"
#include "net/credentials.h"
#include "net/stream.h"
#include "net/url.h"

namespace ap::net {

class ClientHandshake : public std::enable_shared_from_this<ClientHandshake> {
 public:
  /// `peer`: how sentences call the server.
  /// @throws Error(input) if the trust or the certificate cannot be used.
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

}  // namespace ap::net

// The server's side of the handshakes of one client: TLS, then the WebSocket upgrade with the client's
// credentials.
#pragma once

#include <any>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/websocket/connection.h"
#include "net/websocket/credentials.h"
#include "net/websocket/page.h"
#include "net/websocket/tls_context.h"

namespace ap::net {

class ServerHandshake : public std::enable_shared_from_this<ServerHandshake> {
 public:
  /// How far the client has come. Nothing but the descriptor is spent on one that is silent.
  enum class Stage : int { silent, tls, upgrade };

  struct Result {
    std::shared_ptr<Connection> connection;  ///< open, not started; null if the handshakes failed
    std::any admitted_as;                    ///< what `admit` returned
    std::string target;                      ///< path and query of the client's request
    /// Why there is no connection: a sentence; empty if a page was all that was asked for.
    std::string failure;
  };

  /// `pages`: what is answered to requests that are no upgrade; may be empty. `peer`: how sentences call the client.
  /// `limits`, `first_frame_bytes`: of the connection to be.
  ServerHandshake(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls, Admission admit,
                  PageSource pages, std::string peer, const ChannelLimits& limits,
                  std::size_t first_frame_bytes);
  ~ServerHandshake();
  /// `done` is called once, on the socket's strand. There is no deadline: the owner calls cut().
  void start(std::function<void(Result)> done);
  /// Ends the connection. Safe from any thread.
  void cut();
  Stage stage() const { return static_cast<Stage>(stage_.load()); }

  /// An exception in a handler.
  void failed(const std::exception& error);

 private:
  void shake_tls();
  void read_request();
  void answer_request(boost::system::error_code error);
  void answer_page();
  bool admitted();
  void refuse(unsigned status, const char* sentence, std::string reason);
  void drain();
  void finish(std::string failure);

  boost::asio::ip::tcp::socket socket_;  ///< until the first byte has come
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<TlsContext> tls_;
  const Admission admit_;
  const PageSource pages_;
  const std::string peer_;
  const ChannelLimits limits_;
  const std::size_t first_frame_bytes_;
  std::atomic<int> stage_{0};
  std::function<void(Result)> done_;
  std::unique_ptr<WebSocketStream> stream_;
  std::any admitted_as_;
  struct Http;
  const std::unique_ptr<Http> http_;
  std::string failure_;
};

}  // namespace ap::net

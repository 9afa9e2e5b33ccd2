// WebSocket over TLS over TCP as Boost.Beast builds it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <memory>
#include <utility>

#include "net/websocket/tls_context.h"

namespace ap::net {

class TlsStream : public boost::beast::ssl_stream<boost::asio::ip::tcp::socket> {
 public:
  using boost::beast::ssl_stream<boost::asio::ip::tcp::socket>::ssl_stream;
};

/// Beast calls this when the WebSocket is over and before it says so. Its own version waits for the peer's
/// TLS goodbye, for ever if need be; the close frames, which TLS authenticates, have already said all there
/// is to say.
template <typename Handler>
void async_teardown(boost::beast::role_type, TlsStream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(),
                    boost::beast::bind_handler(std::forward<Handler>(handler), boost::system::error_code{}));
}

/// A class of its own, so that it can be named without these headers, which take long to compile.
class WebSocketStream : public boost::beast::websocket::stream<TlsStream, false> {
 public:
  using boost::beast::websocket::stream<TlsStream, false>::stream;
};

/// With this project's options. `socket` may be connected or not yet.
std::unique_ptr<WebSocketStream> make_stream(boost::asio::ip::tcp::socket socket, TlsContext& tls);

inline boost::asio::ip::tcp::socket& socket_of(WebSocketStream& stream) {
  return stream.next_layer().next_layer();
}

/// Small frames leave at once, and a peer whose machine is gone is noticed some day.
void set_socket_options(boost::asio::ip::tcp::socket& socket);

/// Ends a connection without a word.
void drop(boost::asio::ip::tcp::socket& socket);

}  // namespace ap::net

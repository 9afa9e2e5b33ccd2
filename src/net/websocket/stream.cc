#include "net/websocket/stream.h"

#include "net/websocket/framing.h"

namespace ap::net {
namespace {

// The client masks what it sends (RFC 6455, section 5.3) through a buffer of this size, which stays in the
// cache.
constexpr std::size_t kMaskBufferBytes = 128 << 10;

}  // namespace

std::unique_ptr<WebSocketStream> make_stream(boost::asio::ip::tcp::socket socket, TlsContext& tls) {
  namespace websocket = boost::beast::websocket;
  auto stream = std::make_unique<WebSocketStream>(std::move(socket), tls);
  stream->binary(true);
  stream->auto_fragment(false);
  stream->read_message_max(kMaxFrameBytes);
  stream->write_buffer_bytes(kMaskBufferBytes);
  // Deadlines of our own bound every phase; Beast's timers are not needed.
  stream->set_option(
      websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
  return stream;
}

void set_socket_options(boost::asio::ip::tcp::socket& socket) {
  // A failure costs speed or a late notice only.
  boost::system::error_code ignored;
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
}

void drop(boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.close(ignored);
}

}  // namespace ap::net

#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic ignored "-Wtsan"  // as in connection.cc
#endif

#include "net/websocket/server_handshake.h"

#include <boost/asio/post.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "net/websocket/connection_reasons.h"
#include "net/websocket/contained.h"
#include "net/websocket/page_answer.h"
#include "net/websocket/stream.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr std::size_t kMaxRequestBytes = 8192;

}  // namespace

struct ServerHandshake::Http {
  beast::flat_buffer buffer{kMaxRequestBytes};
  http::request_parser<http::empty_body> request;
  http::response<http::string_body> refusal;
};

ServerHandshake::ServerHandshake(asio::ip::tcp::socket socket, std::shared_ptr<TlsContext> tls,
                                 Admission admit, PageSource pages, std::string peer,
                                 const ChannelLimits& limits, std::size_t first_frame_bytes)
    : socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      tls_(std::move(tls)),
      admit_(std::move(admit)),
      pages_(std::move(pages)),
      peer_(std::move(peer)),
      limits_(limits),
      first_frame_bytes_(first_frame_bytes),
      http_(std::make_unique<Http>()) {}

ServerHandshake::~ServerHandshake() = default;

void ServerHandshake::start(std::function<void(Result)> done) {
  done_ = std::move(done);
  socket_.async_wait(asio::socket_base::wait_read, contained(shared_from_this(), [this](error_code error) {
                       if (error) return finish(handshake_failure(peer_, error, 0).what);
                       stage_ = static_cast<int>(Stage::tls);
                       shake_tls();
                     }));
}

void ServerHandshake::shake_tls() {
  set_socket_options(socket_);
  stream_ = make_stream(std::move(socket_), *tls_);
  stream_->next_layer().async_handshake(asio::ssl::stream_base::server,
                                        contained(shared_from_this(), [this](error_code error) {
                                          if (error) return finish(handshake_failure(peer_, error, 0).what);
                                          stage_ = static_cast<int>(Stage::upgrade);
                                          read_request();
                                        }));
}

void ServerHandshake::read_request() {
  http_->request.header_limit(kMaxRequestBytes);
  http_->request.body_limit(0);
  http::async_read(
      stream_->next_layer(), http_->buffer, http_->request,
      contained(shared_from_this(), [this](error_code error, std::size_t) { answer_request(error); }));
}

void ServerHandshake::answer_request(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(431, "The request's header is too large.\n",
                  "sent an HTTP request with too large a header");
  }
  if (error == http::error::body_limit || error == http::error::unexpected_body) {
    return refuse(413, "This is an AutoPrivacy server: it takes no HTTP bodies.\n",
                  "sent an HTTP request with a body");
  }
  if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return refuse(400, "This is no well-formed HTTP request.\n",
                  "sent a malformed HTTP request (" + error.message() + ")");
  }
  if (error) return finish(handshake_failure(peer_, error, 0).what);
  if (!websocket::is_upgrade(http_->request.get())) {
    if (pages_) return answer_page();
    return refuse(426, "This is an AutoPrivacy server: connect with a WebSocket client.\n",
                  "sent an HTTP request that is no WebSocket upgrade");
  }
  if (http_->buffer.size() > 0) {  // RFC 6455, section 4.1: a client waits for the answer
    return refuse(400, "Send nothing before the answer to the upgrade request.\n",
                  "sent data behind its upgrade request, before the answer");
  }
  if (!admitted()) {
    return refuse(401, "This server serves only clients that it knows.\n",
                  "was refused: it has no token or certificate that is known here");
  }
  stream_->async_accept(
      http_->request.get(), contained(shared_from_this(), [this](error_code upgrade_error) {
        if (upgrade_error) return finish(handshake_failure(peer_, upgrade_error, 0).what);
        auto connection =
            std::make_shared<Connection>(std::move(stream_), peer_, limits_, first_frame_bytes_);
        std::string target(http_->request.get().target());
        if (done_) {
          std::exchange(done_, {})({std::move(connection), std::move(admitted_as_), std::move(target), {}});
        }
      }));
}

/// Pages are for anybody: they hold nothing that a client without credentials may not see.
void ServerHandshake::answer_page() {
  const auto& request = http_->request.get();
  const auto text = [](beast::string_view from) { return std::string_view(from.data(), from.size()); };
  Page page =
      pages_({text(request.method_string()), text(request.target()),
              text(request[http::field::accept_encoding]), text(request[http::field::if_none_match])});
  async_answer(stream_->next_layer(), std::move(page),
               contained(shared_from_this(), [this](error_code error) {
                 if (error) return finish({});
                 error_code ignored;
                 socket_of(*stream_).shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
                 drain();
               }));
}

bool ServerHandshake::admitted() {
  if (!admit_) return true;
  ShownCredentials shown;
  shown.certificate_sha256 = peer_fingerprint(stream_->next_layer().native_handle());
  const beast::string_view value = http_->request.get()[http::field::authorization];
  // The scheme's case does not matter (RFC 9110, section 11.1).
  if (beast::iequals(value.substr(0, kBearer.size()), beast::string_view(kBearer.data(), kBearer.size()))) {
    shown.token.assign(value.begin() + kBearer.size(), value.end());
  }
  admitted_as_ = admit_(shown);
  return admitted_as_.has_value();
}

/// Answers a request that is not let in (a browser, a scanner, an unknown client) so that its sender knows
/// why. `reason` is what the log is told, after the client's name.
void ServerHandshake::refuse(unsigned status, const char* sentence, std::string reason) {
  failure_ = peer_ + " " + std::move(reason);
  http_->refusal.version(11);
  http_->refusal.result(status);
  if (status == 426) http_->refusal.set(http::field::upgrade, "websocket");
  if (status == 401) http_->refusal.set(http::field::www_authenticate, "Bearer");
  http_->refusal.set(http::field::connection, "close");
  http_->refusal.body() = sentence;
  http_->refusal.prepare_payload();
  http::async_write(stream_->next_layer(), http_->refusal,
                    contained(shared_from_this(), [this](error_code error, std::size_t) {
                      if (error) return finish(failure_);
                      error_code ignored;
                      socket_of(*stream_).shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
                      drain();
                    }));
}

/// Closing a socket that holds unread data resets the connection, and the answer would be lost on its way.
/// The owner's deadline ends this.
void ServerHandshake::drain() {
  http_->buffer.clear();
  socket_of(*stream_).async_read_some(http_->buffer.prepare(kMaxRequestBytes),
                                      contained(shared_from_this(), [this](error_code error, std::size_t) {
                                        if (error) return finish(failure_);
                                        drain();
                                      }));
}

void ServerHandshake::finish(std::string failure) {
  if (stream_) {
    drop(socket_of(*stream_));
  } else {
    drop(socket_);
  }
  if (done_) std::exchange(done_, {})({nullptr, {}, {}, std::move(failure)});
}

void ServerHandshake::cut() {
  asio::post(executor_, contained(shared_from_this(), [this] {
               if (stream_) {
                 drop(socket_of(*stream_));
               } else if (done_) {
                 drop(socket_);
               }
             }));
}

void ServerHandshake::failed(const std::exception& error) {
  finish(peer_ + " could not be served (" + error.what() + ")");
}

}  // namespace ap::net

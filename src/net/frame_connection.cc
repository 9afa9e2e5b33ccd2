#if defined(__SANITIZE_THREAD__)
// Asio's fences are not modelled by the thread sanitizer; here they order nothing, as one thread runs each
// context.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include "net/frame_connection.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "net/channel_errors.h"
#include "net/connection_reasons.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

class TlsStream : public beast::ssl_stream<tcp::socket> {
 public:
  using beast::ssl_stream<tcp::socket>::ssl_stream;
};

/// Beast calls this when the WebSocket is over and before it says so. Its own version waits for the peer's
/// TLS goodbye, for ever if need be; the close frames, which TLS authenticates, have already said all there
/// is to say.
template <typename Handler>
void async_teardown(beast::role_type, TlsStream& stream, Handler&& handler) {
  asio::post(stream.get_executor(), beast::bind_handler(std::forward<Handler>(handler), error_code{}));
}

using WebSocketStream = websocket::stream<TlsStream, false>;

constexpr std::size_t kMaxRequestBytes = 8192;
constexpr beast::string_view kBearer = "Bearer ";
// The client masks what it sends (RFC 6455, section 5.3) through a buffer of this size, which stays in the
// cache.
constexpr std::size_t kMaskBufferBytes = 128 << 10;
// What a queued frame costs beside its bytes, so that a flood of tiny frames is bounded too.
constexpr std::size_t kFrameOverheadBytes = 64;

std::size_t cost(const Frame& frame) { return frame.size + kFrameOverheadBytes; }

}  // namespace

// Two groups of members: those under `mutex`, shared with the callers, and those only the I/O thread touches
// once it runs. Handlers run one at a time, on the I/O thread, and never after the destructor has joined it.
struct FrameConnection::Impl {
  Impl(std::shared_ptr<TlsContext> context, std::string peer_name, const ChannelLimits& channel_limits)
      : tls(std::move(context)), peer(std::move(peer_name)), limits(channel_limits), stream(io, *tls) {
    stream.binary(true);
    stream.auto_fragment(false);
    stream.read_message_max(kMaxFrameBytes);
    stream.write_buffer_bytes(kMaskBufferBytes);
    // The waits of this class bound every phase; Beast's own timers are not needed.
    stream.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                      websocket::stream_base::none(), false});
  }

  ~Impl() {
    if (!thread.joinable()) return;
    asio::post(io, [this] {
      drop();
      io.stop();
    });
    thread.join();
  }

  void start(std::function<void()> first) {
    timer.expires_after(limits.handshake);
    timer.async_wait([this](error_code error) {
      if (error) return;
      end_with(ErrorCode::peer,
               fmt::format("{} did not complete the TLS and WebSocket handshakes within {} s", peer,
                           std::chrono::duration<double>(limits.handshake).count()));
    });
    asio::post(io, std::move(first));
    thread = std::thread([this] { run(); });
  }

  void run() {
    try {
      io.run();
    } catch (
        const std::exception& error) {  // memory ran out, or a defect: the callers must not wait for ever
      end_with(ErrorCode::internal, fmt::format("the connection to {} failed ({})", peer, error.what()));
    }
  }

  // ---- handshakes (I/O thread) ----

  void dial(const std::vector<tcp::endpoint>& endpoints) {
    asio::async_connect(
        stream.next_layer().next_layer(), endpoints, [this](error_code error, const tcp::endpoint&) {
          if (error) return end_with(ErrorCode::peer, no_server(peer, error));
          set_socket_options();
          expect_host(stream.next_layer().native_handle(), trust, url.host);
          stream.next_layer().async_handshake(asio::ssl::stream_base::client, [this](error_code tls_error) {
            SSL* ssl = stream.next_layer().native_handle();
            if (tls_error) return end_with(handshake_failure(peer, tls_error, SSL_get_verify_result(ssl)));
            if (!matches_pin(ssl, trust)) return end_with(ErrorCode::security, wrong_certificate(peer));
            upgrade();
          });
        });
  }

  void upgrade() {
    const bool has_token = !token.empty();
    if (has_token) {
      stream.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
        SecretVector<char> value(kBearer.begin(), kBearer.end());
        value.insert(value.end(), token.begin(), token.end());
        request.set(http::field::authorization, beast::string_view(value.data(), value.size()));
      }));
    }
    stream.async_handshake(answer, url.authority(), url.path, [this, has_token](error_code error) {
      if (error == websocket::error::upgrade_declined && answer.result() == http::status::unauthorized) {
        return end_with(ErrorCode::peer, not_admitted(peer, has_token || has_certificate));
      }
      if (error) return end_with(handshake_failure(peer, error, X509_V_OK));
      opened();
    });
  }

  void serve() {
    set_socket_options();
    stream.next_layer().async_handshake(asio::ssl::stream_base::server, [this](error_code error) {
      if (error) return end_with(handshake_failure(peer, error, X509_V_OK));
      request_parser.header_limit(kMaxRequestBytes);
      request_parser.body_limit(0);
      http::async_read(stream.next_layer(), request_buffer, request_parser,
                       [this](error_code request_error, size_t) {
                         if (request_error)
                           return end_with(handshake_failure(peer, request_error, X509_V_OK));
                         if (!websocket::is_upgrade(request_parser.get())) {
                           return refuse(http::status::upgrade_required,
                                         "This is an AutoPrivacy server: connect with a WebSocket client.\n",
                                         "sent an HTTP request that is no WebSocket upgrade");
                         }
                         if (!admitted()) {
                           return refuse(http::status::unauthorized,
                                         "This server serves only clients that it knows.\n",
                                         "was refused: it has no token or certificate that is known here");
                         }
                         stream.async_accept(request_parser.get(), [this](error_code upgrade_error) {
                           if (upgrade_error)
                             return end_with(handshake_failure(peer, upgrade_error, X509_V_OK));
                           opened();
                         });
                       });
    });
  }

  bool admitted() {
    if (!admit) return true;
    ShownCredentials shown;
    shown.certificate_sha256 = peer_fingerprint(stream.next_layer().native_handle());
    const beast::string_view value = request_parser.get()[http::field::authorization];
    // The scheme's case does not matter (RFC 9110, section 11.1).
    if (beast::iequals(value.substr(0, kBearer.size()), kBearer)) {
      shown.token.assign(value.begin() + kBearer.size(), value.end());
    }
    return admit(shown);
  }

  /// Answers a request that is not let in (a browser, a scanner, an unknown client) so that its sender knows
  /// why. `reason` is what the caller of this side is told, after the peer's name.
  void refuse(http::status status, const char* sentence, const char* reason) {
    refusal.version(11);
    refusal.result(status);
    if (status == http::status::upgrade_required) refusal.set(http::field::upgrade, "websocket");
    if (status == http::status::unauthorized) refusal.set(http::field::www_authenticate, "Bearer");
    refusal.set(http::field::connection, "close");
    refusal.body() = sentence;
    refusal.prepare_payload();
    http::async_write(stream.next_layer(), refusal, [this, reason](error_code, size_t) {
      end_with(ErrorCode::peer, fmt::format("{} {}", peer, reason));
    });
  }

  void set_socket_options() {
    // A failure costs speed or a late notice only.
    error_code ignored;
    stream.next_layer().next_layer().set_option(tcp::no_delay(true), ignored);
    stream.next_layer().next_layer().set_option(asio::socket_base::keep_alive(true), ignored);
  }

  void opened() {
    timer.cancel();
    {
      const std::lock_guard lock(mutex);
      open = true;
      changed_out.notify_all();
    }
    read();
    start_writing();
  }

  // ---- receiving (I/O thread) ----

  void read() {
    if (goodbye_begun) return;
    if (!read_area.data) {
      // One byte more than a frame may have: a full frame whose end is not yet known still has room to read
      // into.
      read_area = make_frame(kMaxFrameBytes + 1);
      read_bytes = 0;
    }
    const asio::mutable_buffer room(read_area.data.get() + read_bytes, read_area.size - read_bytes);
    stream.async_read_some(room, [this](error_code error, std::size_t bytes) {
      if (error) return receiving_failed(error);
      read_bytes += bytes;
      if (!stream.is_message_done()) return read();
      if (!stream.got_binary() || read_bytes == 0) {
        return end_with(ErrorCode::peer, fmt::format("{} sent a frame that is text or empty", peer));
      }
      if (deliver(take_frame())) read();
    });
  }

  void receiving_failed(error_code error) {
    std::string reason = end_of_connection(peer, error);
    if (error == asio::error::operation_aborted) {
      // The cause went to the write operation; sending_failed() knows better.
      const std::lock_guard lock(mutex);
      if (sending_ended) reason = end.what;
    }
    end_with(ErrorCode::peer, std::move(reason));
  }

  Frame take_frame() {
    Frame frame;
    if (read_bytes >= kMaxFrameBytes / 2) {
      frame = std::move(read_area);
      frame.size = read_bytes;
    } else {  // a small frame must not hold a large buffer
      frame = make_frame(read_bytes);
      std::memcpy(frame.data.get(), read_area.data.get(), read_bytes);
    }
    read_bytes = 0;
    return frame;
  }

  /// False when the inbound queue is full: pop() resumes reading.
  bool deliver(Frame frame) {
    const std::lock_guard lock(mutex);
    if (finishing) return true;  // read on, so that the peer can finish sending; nobody wants the frame
    inbound_bytes += cost(frame);
    inbound.push_back(std::move(frame));
    changed_in.notify_all();
    reading_paused = inbound_bytes >= limits.inbound_bytes;
    return !reading_paused;
  }

  // ---- sending (I/O thread) ----

  void start_writing() {
    if (writing) return;
    writing = true;
    write();
  }

  void write() {
    {
      const std::lock_guard lock(mutex);
      if (!open || ended || outbound.empty()) {
        writing = false;
        writing_scheduled = false;
        if (!open || ended || !finishing) return;
      } else {
        write_frame = std::move(outbound.front());
        outbound.pop_front();
      }
    }
    if (!writing) return say_goodbye();
    stream.async_write(asio::buffer(write_frame.data.get(), write_frame.size),
                       [this](error_code error, std::size_t) {
                         if (error) return sending_failed(error);
                         {
                           const std::lock_guard lock(mutex);
                           outbound_bytes -= cost(write_frame);
                           ++frames_written;
                           changed_out.notify_all();
                         }
                         write();
                       });
  }

  /// The peer takes nothing any more, but what it sent before may still be on its way: reading goes on until
  /// it fails by itself, or for a moment.
  void sending_failed(error_code error) {
    {
      const std::lock_guard lock(mutex);
      if (!ended && !sending_ended) {
        sending_ended = true;
        end = {ErrorCode::peer, end_of_connection(peer, error)};
      }
      changed_out.notify_all();
      if (ended) return;
    }
    timer.expires_after(limits.goodbye);
    timer.async_wait([this, error](error_code cancelled) {
      if (!cancelled) end_with(ErrorCode::peer, end_of_connection(peer, error));
    });
  }

  void say_goodbye() {
    if (goodbye_begun) return;
    goodbye_begun = true;
    stream.async_close(websocket::close_code::normal,
                       [this](error_code) { end_with(ErrorCode::peer, closed_by_us(peer)); });
  }

  // ---- the end ----

  void end_with(ConnectionEnd reason) { end_with(reason.code, std::move(reason.what)); }

  void end_with(ErrorCode code, std::string what) {
    {
      const std::lock_guard lock(mutex);
      if (!ended) {
        end = {code, std::move(what)};
        ended = sending_ended = true;
      }
      changed_in.notify_all();
      changed_out.notify_all();
    }
    drop();
  }

  void drop() {
    timer.cancel();
    error_code ignored;
    stream.next_layer().next_layer().close(ignored);
  }

  // ---- I/O thread only (before start(): the creating thread) ----
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  const std::shared_ptr<TlsContext> tls;
  const std::string peer;
  const ChannelLimits limits;
  ServerUrl url;
  TlsTrust trust;
  SecretVector<char> token;  ///< of a client, until it is sent
  bool has_certificate = false;
  Admission admit;
  websocket::response_type answer;
  WebSocketStream stream;
  asio::steady_timer timer{io};
  beast::flat_buffer request_buffer{kMaxRequestBytes};
  http::request_parser<http::string_body> request_parser;
  http::response<http::string_body> refusal;
  Frame read_area;
  std::size_t read_bytes = 0;
  Frame write_frame;
  bool writing = false;
  bool goodbye_begun = false;

  // ---- under mutex ----
  mutable std::mutex mutex;
  std::condition_variable changed_in;
  std::condition_variable changed_out;
  std::deque<Frame> inbound;
  std::deque<Frame> outbound;
  std::size_t inbound_bytes = 0;
  std::size_t outbound_bytes = 0;
  std::uint64_t frames_written = 0;
  bool open = false;
  bool reading_paused = false;
  bool writing_scheduled = false;
  bool finishing = false;
  bool sending_ended = false;
  bool ended = false;
  ConnectionEnd end;

  std::thread thread;
};

FrameConnection::FrameConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

FrameConnection::~FrameConnection() { finish(impl_->limits.goodbye, impl_->limits.goodbye); }

std::unique_ptr<FrameConnection> FrameConnection::serve(int descriptor, std::shared_ptr<TlsContext> tls,
                                                        Admission admit, std::string peer,
                                                        const ChannelLimits& limits) {
  auto impl = std::make_unique<Impl>(std::move(tls), std::move(peer), limits);
  impl->admit = std::move(admit);
  // Which of the two protocols is said here makes no difference to a connected socket.
  impl->stream.next_layer().next_layer().assign(tcp::v4(), descriptor);
  impl->start([self = impl.get()] { self->serve(); });
  return std::unique_ptr<FrameConnection>(new FrameConnection(std::move(impl)));
}

std::unique_ptr<FrameConnection> FrameConnection::dial(const ServerUrl& url, const TlsTrust& trust,
                                                       const Credentials& credentials, std::string peer,
                                                       const ChannelLimits& limits) {
  auto impl =
      std::make_unique<Impl>(make_client_context(trust, credentials.certificate), std::move(peer), limits);
  impl->token = credentials.token;
  impl->has_certificate = !credentials.certificate.certificate_pem.empty();
  impl->url = url;
  impl->trust = trust;
  error_code unknown;
  tcp::resolver resolver(impl->io);
  const auto found = resolver.resolve(url.host, std::to_string(url.port), unknown);
  if (unknown) fail_peer("the host {} of {} was not found ({})", url.host, impl->peer, unknown.message());
  const std::vector<tcp::endpoint> endpoints(found.begin(), found.end());
  impl->start([self = impl.get(), endpoints] { self->dial(endpoints); });
  return std::unique_ptr<FrameConnection>(new FrameConnection(std::move(impl)));
}

FrameConnection::Outcome FrameConnection::wait_open() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed_out.wait(lock, [&] { return impl_->open || impl_->ended; });
  return impl_->ended ? Outcome::ended : Outcome::done;
}

FrameConnection::Outcome FrameConnection::push(Frame frame, std::chrono::milliseconds wait) {
  const std::size_t bytes = cost(frame);
  std::unique_lock lock(impl_->mutex);
  const bool in_time = impl_->changed_out.wait_for(lock, wait, [&] {
    return impl_->sending_ended || impl_->finishing || impl_->outbound_bytes == 0 ||
           impl_->outbound_bytes + bytes <= impl_->limits.outbound_bytes;
  });
  if (impl_->sending_ended || impl_->finishing) return Outcome::ended;
  if (!in_time) return Outcome::deadline;
  impl_->outbound_bytes += bytes;
  impl_->outbound.push_back(std::move(frame));
  // Before the handshakes are over the frame waits for opened().
  if (impl_->open && !impl_->writing_scheduled) {
    impl_->writing_scheduled = true;
    asio::post(impl_->io, [self = impl_.get()] { self->start_writing(); });
  }
  return Outcome::done;
}

FrameConnection::Outcome FrameConnection::pop(Frame& frame, std::chrono::milliseconds wait) {
  std::unique_lock lock(impl_->mutex);
  const bool in_time = impl_->changed_in.wait_for(
      lock, wait, [&] { return !impl_->inbound.empty() || impl_->ended || impl_->finishing; });
  if (impl_->finishing) return Outcome::ended;
  if (impl_->inbound.empty()) return in_time ? Outcome::ended : Outcome::deadline;
  frame = std::move(impl_->inbound.front());
  impl_->inbound.pop_front();
  impl_->inbound_bytes -= cost(frame);
  if (impl_->reading_paused && impl_->inbound_bytes <= impl_->limits.inbound_bytes / 2) {
    impl_->reading_paused = false;
    asio::post(impl_->io, [self = impl_.get()] { self->read(); });
  }
  return Outcome::done;
}

void FrameConnection::finish(std::chrono::milliseconds frame_wait, std::chrono::milliseconds total_wait) {
  const auto until = std::chrono::steady_clock::now() + total_wait;
  std::unique_lock lock(impl_->mutex);
  if (!impl_->finishing) {
    impl_->finishing = true;
    impl_->inbound.clear();
    impl_->inbound_bytes = 0;
    impl_->changed_in.notify_all();
    impl_->changed_out.notify_all();
    asio::post(impl_->io, [self = impl_.get(), resume = std::exchange(impl_->reading_paused, false)] {
      if (resume) self->read();
      self->start_writing();
    });
  }
  const auto gone = [&] { return impl_->ended || impl_->sending_ended || impl_->outbound_bytes == 0; };
  while (!gone()) {
    const std::uint64_t before = impl_->frames_written;
    const auto frame_until = std::min(until, std::chrono::steady_clock::now() + frame_wait);
    const bool moved = impl_->changed_out.wait_until(
        lock, frame_until, [&] { return gone() || impl_->frames_written != before; });
    if (!moved) break;
  }
  if (impl_->open && impl_->outbound_bytes == 0) {
    const auto goodbye_until = std::min(until, std::chrono::steady_clock::now() + impl_->limits.goodbye);
    impl_->changed_out.wait_until(lock, goodbye_until, [&] { return impl_->ended; });
  }
  lock.unlock();
  asio::post(impl_->io, [self = impl_.get()] { self->end_with(ErrorCode::peer, closed_by_us(self->peer)); });
}

void FrameConnection::abort() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->ended) {
      impl_->end = {ErrorCode::peer,
                    fmt::format("the connection to {} was ended after an earlier error", impl_->peer)};
      impl_->ended = impl_->sending_ended = true;
    }
    impl_->inbound.clear();
    impl_->inbound_bytes = 0;
    impl_->changed_in.notify_all();
    impl_->changed_out.notify_all();
  }
  asio::post(impl_->io, [self = impl_.get()] { self->drop(); });
}

ConnectionEnd FrameConnection::end() const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->finishing) return {ErrorCode::peer, closed_by_us(impl_->peer)};
  return impl_->end;
}

const std::string& FrameConnection::peer() const { return impl_->peer; }

}  // namespace ap::net

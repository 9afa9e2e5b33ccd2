// The server's listener: accepts connections, hands out those that have greeted (net/websocket/websocket.h).
#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic ignored "-Wtsan"  // as in connection.cc
#endif

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "net/websocket/contained.h"
#include "net/websocket/listening_socket.h"
#include "net/websocket/reception.h"
#include "net/websocket/tls_context.h"
#include "net/websocket/url.h"
#include "net/websocket/websocket.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Out of descriptors or memory the client stays in the backlog, and trying again at once would only burn
// time.
constexpr std::chrono::milliseconds kPause{50};

/// Takes connections from the socket and brings them to the reception, whatever happens to a single one.
class Doorkeeper : public std::enable_shared_from_this<Doorkeeper> {
 public:
  Doorkeeper(IoThreads& io, FileDescriptor socket, std::shared_ptr<Reception> reception)
      : io_(io), acceptor_(io.strand()), timer_(acceptor_.get_executor()), reception_(std::move(reception)) {
    // Which of the two protocols is said here makes no difference to a listening socket.
    acceptor_.assign(tcp::v4(), socket.get());
    socket.release();
  }
  void start() {
    asio::post(acceptor_.get_executor(), contained(shared_from_this(), [this] { accept(); }));
  }
  void stop() {
    asio::post(acceptor_.get_executor(), contained(shared_from_this(), [this] {
                 error_code ignored;
                 stopped_ = true;
                 timer_.cancel();
                 acceptor_.close(ignored);
               }));
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void failed(const std::exception&) noexcept {
    try {
      pause();
    } catch (const std::exception&) {  // not even room for a timer
      std::this_thread::sleep_for(kPause);
      start();
    }
  }

 private:
  void accept() {
    if (stopped_) return;
    acceptor_.async_accept(asio::any_io_executor(io_.strand()),
                           contained(shared_from_this(), [this](error_code error, tcp::socket socket) {
                             if (stopped_) return;
                             if (error && error != asio::error::connection_aborted) return pause();
                             if (!error) reception_->enter(std::move(socket));
                             accept();
                           }));
  }
  void pause() {
    timer_.expires_after(kPause);
    timer_.async_wait(contained(shared_from_this(), [this](error_code) { accept(); }));
  }

  IoThreads& io_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  const std::shared_ptr<Reception> reception_;
  bool stopped_ = false;
};

}  // namespace

struct Listener::State {
  std::string host;
  std::chrono::milliseconds goodbye;
  std::shared_ptr<IoThreads> io;
  std::shared_ptr<Reception> reception;
  std::shared_ptr<Doorkeeper> door;
  std::uint16_t port = 0;
};

Listener::Listener(const std::string& host, std::uint16_t port, const TlsIdentity& identity,
                   ListenerOptions options)
    : state_(std::make_unique<State>()) {
  auto tls = make_server_context(identity, options.ask_certificate);
  FileDescriptor socket = listen_on(host, port);
  state_->host = host;
  state_->goodbye = options.limits.goodbye;
  state_->io = std::make_shared<IoThreads>(std::max(1, options.threads));
  state_->reception = std::make_shared<Reception>(state_->io, std::move(tls), std::move(options));
  state_->door = std::make_shared<Doorkeeper>(*state_->io, std::move(socket), state_->reception);
  state_->port = state_->door->port();
  state_->door->start();
}

Listener::~Listener() {
  stop();
  state_->reception->see_off(state_->goodbye);
}

std::uint16_t Listener::port() const { return state_->port; }

std::string Listener::url() const {
  return "wss://" + ServerUrl{state_->host, state_->port, "/"}.authority();
}

std::unique_ptr<ServedChannel> Listener::accept(std::chrono::milliseconds wait) {
  return state_->reception->next(wait);
}

void Listener::stop() {
  state_->door->stop();
  state_->reception->close();
}

std::size_t Listener::pending() const { return state_->reception->size(); }

}  // namespace ap::net

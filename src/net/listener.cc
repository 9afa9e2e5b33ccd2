#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "net/frame_connection.h"
#include "net/websocket.h"
#include "net/websocket_channel.h"

namespace ap::net {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

/// host:port, with brackets around an IPv6 address.
std::string describe(const sockaddr* address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  constexpr int kNumbers = NI_NUMERICHOST | NI_NUMERICSERV;
  if (getnameinfo(address, size, host, sizeof(host), port, sizeof(port), kNumbers) != 0)
    return "an unknown address";
  return address->sa_family == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                        : fmt::format("{}:{}", host, port);
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  AP_ASSERT(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  in_port_t port = 0;
  if (address.ss_family == AF_INET6) {
    std::memcpy(&port, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in6, sin6_port),
                sizeof(port));
  } else {
    std::memcpy(&port, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in, sin_port),
                sizeof(port));
  }
  return ntohs(port);
}

[[noreturn]] void fail_to_listen(const std::string& host, std::uint16_t port, int error) {
  if (error == EADDRINUSE) {
    fail_input("port {} of {} is already in use; stop the other program or choose another port", port, host);
  }
  fail_input("cannot listen on {} port {}: {}", host, port, std::strerror(error));
}

Descriptor listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int unknown = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (unknown != 0) fail_input("cannot listen on \"{}\": {}", host, gai_strerror(unknown));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(list, freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* a = addresses.get(); a; a = a->ai_next) {
    Descriptor socket(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol));
    const int on = 1;
    // A server that was stopped a moment ago may take its port again; one that still runs keeps it.
    if (socket.get() >= 0 && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        ::bind(socket.get(), a->ai_addr, a->ai_addrlen) == 0 && ::listen(socket.get(), SOMAXCONN) == 0) {
      return socket;
    }
    error = errno;
  }
  fail_to_listen(host, port, error);
}

}  // namespace

struct Listener::State {
  std::shared_ptr<TlsContext> tls;
  ChannelLimits limits;
  std::string host;
  Descriptor socket;
  Descriptor stop_event;
  std::uint16_t port;
};

Listener::Listener(const std::string& host, std::uint16_t port, const TlsIdentity& identity,
                   const ChannelLimits& limits, bool ask_certificate) {
  auto tls = make_server_context(identity, ask_certificate);
  Descriptor socket = listen_on(host, port);
  const std::uint16_t bound = bound_port(socket.get());
  Descriptor stop_event(::eventfd(0, EFD_CLOEXEC));
  if (stop_event.get() < 0) fail_to_listen(host, port, errno);
  state_.reset(new State{std::move(tls), limits, host, std::move(socket), std::move(stop_event), bound});
}

Listener::~Listener() = default;

std::uint16_t Listener::port() const { return state_->port; }

std::string Listener::url() const {
  return "wss://" + ServerUrl{state_->host, state_->port, "/"}.authority();
}

std::unique_ptr<Channel> Listener::accept(std::chrono::milliseconds wait, Admission admit) {
  const Clock::time_point until = Clock::now() + bounded_wait(wait);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready[2] = {{state_->stop_event.get(), POLLIN, 0}, {state_->socket.get(), POLLIN, 0}};
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
    if (::poll(ready, 2, timeout) < 0 && errno != EINTR) return nullptr;
    if (ready[0].revents != 0) return nullptr;
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    auto* peer = reinterpret_cast<sockaddr*>(&address);
    Descriptor client(::accept4(state_->socket.get(), peer, &size, SOCK_CLOEXEC));
    const int error = errno;
    if (client.get() >= 0) {
      try {
        auto connection = FrameConnection::serve(client.release(), state_->tls, std::move(admit),
                                                 "the client at " + describe(peer, size), state_->limits);
        return std::make_unique<WebSocketChannel>(std::move(connection));
      } catch (const std::system_error&) {
        // No thread or descriptor left for this client: it is dropped, the server goes on.
      }
    }
    if (left <= 0) return nullptr;
    // Out of descriptors or memory: the client stays in the backlog, and trying again at once would only burn
    // time.
    if (error != EAGAIN && error != EINTR && error != ECONNABORTED) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::int64_t>(left, 50)));
    }
  }
}

void Listener::stop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(state_->stop_event.get(), &one, sizeof(one));
}

}  // namespace ap::net

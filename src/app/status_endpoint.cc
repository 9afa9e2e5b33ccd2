#include "app/status_endpoint.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

#include "app/listen_address.h"
#include "base/error.h"
#include "net/websocket/listening_socket.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostRequestBytes = 8192;
// Of one request, answer included: probes are answered in a millisecond, and the next one waits meanwhile.
constexpr std::chrono::milliseconds kPatience{2'000};

bool wait_for(int fd, short events, Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd wanted{fd, events, 0};
  return left > 0 && ::poll(&wanted, 1, static_cast<int>(left)) > 0;
}

/// The head of a request; what came, if the peer ends or takes too long.
std::string read_head(int fd, Clock::time_point until) {
  std::string head;
  char block[1024];
  while (head.size() < kMostRequestBytes && head.find("\r\n\r\n") == std::string::npos &&
         wait_for(fd, POLLIN, until)) {
    const ssize_t count = ::recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (count <= 0) break;
    head.append(block, static_cast<std::size_t>(count));
  }
  return head;
}

void write_all(int fd, std::string_view text, Clock::time_point until) {
  while (!text.empty() && wait_for(fd, POLLOUT, until)) {
    const ssize_t count = ::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Service Unavailable";
  }
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

FileDescriptor listening(const std::string& where) {
  const HostPort at = parse_listen(where);
  return net::listen_on(at.host, at.port);
}

}  // namespace

StatusEndpoint::StatusEndpoint(const std::string& where, std::function<StatusPage(std::string_view)> page)
    : page_(std::move(page)), socket_(listening(where)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (wake_.get() < 0) fail(ErrorCode::internal, "cannot make an event descriptor for the metrics");
  const std::string host = parse_listen(where).host;
  address_ = fmt::format("{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]",
                         port_of(socket_.get()));
  thread_ = std::thread([this] { serve(); });
}

StatusEndpoint::~StatusEndpoint() {
  const std::uint64_t one = 1;
  // An event descriptor takes any number below 2^64 - 1.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void StatusEndpoint::serve() {
  constexpr int kPause = 50;  // ms, out of descriptors
  for (;;) {
    pollfd wanted[2] = {{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (::poll(wanted, 2, -1) < 0) continue;
    if (wanted[1].revents != 0) return;
    const FileDescriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0) {
      answer(connection.get());
    } else {
      ::poll(nullptr, 0, kPause);
    }
  }
}

void StatusEndpoint::answer(int connection) const {
  const Clock::time_point until = Clock::now() + kPatience;
  const std::string head = read_head(connection, until);
  const std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' '),
                    second = first == line.npos ? line.npos : line.find(' ', first + 1);
  const std::string_view method = line.substr(0, first);
  StatusPage page;
  if (second == line.npos || line.substr(second + 1, 7) != "HTTP/1.") {
    page = {400, "this is no well-formed HTTP request\n"};
  } else if (method != "GET" && method != "HEAD") {
    page = {405, "only GET and HEAD are answered here\n"};
  } else {
    std::string_view path = line.substr(first + 1, second - first - 1);
    page = page_(path.substr(0, path.find('?')));
  }
  std::string text = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
      page.status, reason_of(page.status), page.text.size());
  if (method != "HEAD") text += page.text;
  write_all(connection, text, until);
  ::shutdown(connection, SHUT_WR);
}

}  // namespace ap::app

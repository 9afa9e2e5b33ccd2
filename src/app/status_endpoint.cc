#include "app/status_endpoint.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "app/listen_address.h"
#include "base/error.h"
#include "net/websocket/listening_socket.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostRequestBytes = 8192;
// Connections at a time; a further one takes the place of the oldest. Probes are answered in a millisecond, so whoever is
// silent or slow does not hold them up.
constexpr std::size_t kMostConnections = 8;
// Of one request, answer included.
constexpr std::chrono::milliseconds kPatience{2'000};

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

/// A request that comes in, then an answer that goes out.
struct StatusEndpoint::Connection {
  explicit Connection(FileDescriptor from) : socket(std::move(from)) {}
  FileDescriptor socket;
  Clock::time_point until = Clock::now() + kPatience;
  std::string head;
  std::string answer;  ///< empty until the request is there
  std::size_t sent = 0;
};

void StatusEndpoint::serve() {
  std::list<Connection> connections;
  for (bool goes_on = true; goes_on;) {
    try {
      goes_on = take_turn(connections);
    } catch (const std::exception&) {  // memory ran out: those that are here are dropped
      connections.clear();
    }
  }
}

/// Waits for something to do, and does it; false at the end.
bool StatusEndpoint::take_turn(std::list<Connection>& connections) const {
  constexpr int kPause = 50;  // ms, out of descriptors
  std::vector<pollfd> wanted = {{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  for (const Connection& c : connections)
    wanted.push_back({c.socket.get(), static_cast<short>(c.answer.empty() ? POLLIN : POLLOUT), 0});
  if (::poll(wanted.data(), wanted.size(), wait_for(connections)) < 0) return true;
  if (wanted[1].revents != 0) return false;
  std::size_t at = 2;
  for (auto c = connections.begin(); c != connections.end(); ++at) {
    const bool stays = Clock::now() < c->until && (wanted[at].revents == 0 || go_on(*c));
    c = stays ? std::next(c) : connections.erase(c);
  }
  if (wanted[0].revents == 0) return true;
  FileDescriptor fresh(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const bool full = connections.size() >= kMostConnections || (fresh.get() < 0 && !connections.empty());
  if (full) connections.pop_front();
  if (fresh.get() >= 0) {
    connections.emplace_back(std::move(fresh));
  } else if (!full) {
    ::poll(nullptr, 0, kPause);
  }
  return true;
}

/// Milliseconds until the first of them has had its time; -1 if there is none.
int StatusEndpoint::wait_for(const std::list<Connection>& connections) {
  if (connections.empty()) return -1;
  const auto left = connections.front().until - Clock::now();  // they stand in the order of their coming
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
}

/// Reads or writes what is possible now; false when the connection is over.
bool StatusEndpoint::go_on(Connection& c) const {
  if (c.answer.empty()) {
    char block[1024];
    const ssize_t count = ::recv(c.socket.get(), block, sizeof block, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    c.head.append(block, static_cast<std::size_t>(count));
    const bool whole = c.head.find("\r\n\r\n") != std::string::npos;
    if (!whole && count > 0 && c.head.size() < kMostRequestBytes) return true;
    c.answer = answer_to(c.head);
  }
  const ssize_t count =
      ::send(c.socket.get(), c.answer.data() + c.sent, c.answer.size() - c.sent, MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  c.sent += static_cast<std::size_t>(count);
  if (c.sent < c.answer.size()) return true;
  ::shutdown(c.socket.get(), SHUT_WR);
  return false;
}

/// The whole answer to what came of a request.
std::string StatusEndpoint::answer_to(const std::string& head) const {
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
  return text;
}

}  // namespace ap::app

#include "net/websocket/listening_socket.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace ap::net {
namespace {

[[noreturn]] void fail_to_listen(const std::string& host, std::uint16_t port, int error) {
  if (error == EADDRINUSE) {
    fail_input("port {} of {} is already in use; stop the other program or choose another port", port, host);
  }
  fail_input("cannot listen on {} port {}: {}", host, port, std::strerror(error));
}

}  // namespace

FileDescriptor listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int unknown = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (unknown != 0) fail_input("cannot listen on \"{}\": {}", host, gai_strerror(unknown));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(list, freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* a = addresses.get(); a; a = a->ai_next) {
    FileDescriptor socket(
        ::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol));
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

}  // namespace ap::net

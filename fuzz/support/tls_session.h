// The other end of a TLS connection, as bytes: for whoever does not keep to the protocol above it.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <csignal>
#include <memory>

#include "base/bytes.h"
#include "base/file_descriptor.h"

namespace ap::fuzz {

template <auto Free>
struct TlsFreer {
  void operator()(auto* object) const { Free(object); }
};
using TlsSettings = std::unique_ptr<SSL_CTX, TlsFreer<SSL_CTX_free>>;
using TlsSession = std::unique_ptr<SSL, TlsFreer<SSL_free>>;

/// A client of a port of this machine that trusts anybody.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    static const auto ignored = ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes like any program
    (void)ignored;
    static const TlsSettings settings(SSL_CTX_new(TLS_client_method()));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval wait{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    session_.reset(SSL_new(settings.get()));
    SSL_set_fd(session_.get(), socket_.get());
    open_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            SSL_connect(session_.get()) == 1;
  }
  bool open() const { return open_; }
  /// False once the other end takes no more.
  bool write(ByteView bytes) {
    open_ = open_ &&
            (bytes.empty() || SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0);
    return open_;
  }
  /// Bytes read; 0 at the end and after ten seconds of silence.
  std::size_t read(std::span<std::uint8_t> out) {
    const int got = SSL_read(session_.get(), out.data(), static_cast<int>(out.size()));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  /// Says that nothing more comes.
  void finish() {
    if (open_) (void)SSL_shutdown(session_.get());
    ::shutdown(socket_.get(), SHUT_WR);
  }

 private:
  FileDescriptor socket_;
  TlsSession session_;
  bool open_ = false;
};

}  // namespace ap::fuzz

// What a server answers inside TLS: the HTTP response to the upgrade, then WebSocket frames. The real client,
// over the loopback interface. Even first byte: the right response, then the input; odd: the input alone.
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <thread>

#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/tls_session.h"
#include "net/websocket/tls_context.h"
#include "net/websocket/websocket.h"

namespace ap::fuzz {
namespace {

using namespace std::chrono_literals;

struct Server {
  net::TlsIdentity identity = net::make_self_signed("localhost");
  std::shared_ptr<net::TlsContext> context = net::make_server_context(identity);
  FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string url;

  Server() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(socket.get(), generic, size) == 0 && ::listen(socket.get(), 4) == 0 &&
                ::getsockname(socket.get(), generic, &size) == 0,
            "there is a free port");
    url = "wss://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
};

/// RFC 6455, section 4.2.2: the answer to the key of a request.
std::string accept_key(const std::string& request) {
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t at = request.find(name);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size();
  const std::string key =
      request.substr(begin, request.find("\r\n", begin) - begin) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  std::array<unsigned char, 32> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {text.begin(), text.begin() + length};
}

void answer(const Server& server, bool polite, ByteView input) {
  const FileDescriptor client(::accept4(server.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const TlsSession session(SSL_new(server.context->native_handle()));
  SSL_set_fd(session.get(), client.get());
  if (SSL_accept(session.get()) != 1) return;
  std::string request(4096, '\0');
  const int got = SSL_read(session.get(), request.data(), static_cast<int>(request.size()));
  request.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::string reply;
  if (polite) {
    reply =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept_key(request) + "\r\n\r\n";
  }
  reply += text_of(input);
  if (!reply.empty()) (void)SSL_write(session.get(), reply.data(), static_cast<int>(reply.size()));
  (void)SSL_shutdown(session.get());
}

void run(ByteView input) {
  static const Server server;
  Choices choices(input);
  const bool polite = choices.number(1) % 2 == 0;
  std::thread other([&] { answer(server, polite, input); });
  std::exception_ptr error;
  try {
    const auto channel = net::connect(
        server.url, net::TlsTrust::pinned_certificate(net::certificate_fingerprint(server.identity)), 5s,
        {.inbound_bytes = 1 << 20, .goodbye = 20ms});
    channel->set_deadline(5s);
    for (;;) (void)channel->receive(0x0101, 0, 256);
  } catch (...) {
    error = std::current_exception();
  }
  other.join();
  std::rethrow_exception(error);
}

std::vector<Bytes> seeds() {
  const std::string frame("\0\x82\x0b\1\1\1\0\0\0\0\0\0\0\7", 14);
  return {bytes_of(frame),
          bytes_of(frame + frame.substr(1)),
          {0, 0x88, 2, 3, 0xe8},
          bytes_of("\1HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
          bytes_of("\1HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")};
}

const Register known({.name = "dial",
                      .run = run,
                      .seeds = seeds,
                      .mistakes = Mistakes::of_a_peer_or_its_security,
                      .max_bytes = 10000,
                      .dictionary = "http"});

}  // namespace
}  // namespace ap::fuzz

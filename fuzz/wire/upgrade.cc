// What a client sends inside TLS: the HTTP upgrade, then WebSocket frames. The real listener, over the
// loopback interface.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "base/file_descriptor.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "net/framing.h"
#include "net/websocket.h"

namespace ap::fuzz {
namespace {

using namespace std::chrono_literals;

template <auto Free>
struct Freer {
  void operator()(auto* object) const { Free(object); }
};
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL_free>>;

net::Listener& listener() {
  static net::Listener all("127.0.0.1", 0, net::make_self_signed("localhost"),
                           {.inbound_bytes = 1 << 20, .handshake = 2000ms, .goodbye = 20ms});
  return all;
}

/// Sends the bytes over TLS and then nothing more.
void send_as_client(ByteView bytes) {
  static const Context context(SSL_CTX_new(TLS_client_method()));
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener().port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "it listens");
  const Session session(SSL_new(context.get()));
  SSL_set_fd(session.get(), socket.get());
  require(SSL_connect(session.get()) == 1, "TLS is spoken");
  if (!bytes.empty()) (void)SSL_write(session.get(), bytes.data(), static_cast<int>(bytes.size()));
  (void)SSL_shutdown(session.get());
}

void run(ByteView input) {
  ByteView rest = input;
  Choices choices(rest);
  const bool known = choices.number(1) % 2 == 0;
  std::unique_ptr<net::Channel> channel;
  // The TLS handshake needs the listener's thread only once the connection has been accepted.
  std::thread client([&] { send_as_client(rest); });
  channel = listener().accept(10s, [known](const net::ShownCredentials& shown) {
    return known || (shown.token.size() == 4 && std::equal(shown.token.begin(), shown.token.end(), "good"));
  });
  client.join();
  require(channel != nullptr, "the connection is accepted");
  channel->set_deadline(5s);
  for (;;) (void)channel->receive(0x0100, 0, 256);
}

std::string request(const std::string& more) {
  return "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         more + "\r\n";
}

std::vector<Bytes> seeds() {
  const std::string good = "Authorization: Bearer good\r\n";
  Bytes open = bytes_of('\1' + request(good)), plain = bytes_of("\1GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  return {bytes_of('\2' + request("")), open, plain, bytes_of('\1' + request("Authorization: Basic x\r\n"))};
}

const Register known({.name = "upgrade",
                      .run = run,
                      .seeds = seeds,
                      .mistakes = Mistakes::of_a_peer,
                      .max_bytes = 10000,
                      .dictionary = "http"});

}  // namespace
}  // namespace ap::fuzz

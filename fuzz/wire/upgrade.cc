// What a client sends inside TLS: the HTTP upgrade, then WebSocket frames. The real listener, over the
// loopback interface.
#include <algorithm>
#include <any>
#include <atomic>
#include <memory>

#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/tls_session.h"
#include "net/websocket/websocket.h"

namespace ap::fuzz {
namespace {

using namespace std::chrono_literals;

std::atomic<std::uint64_t> lost = 0;

net::Listener& listener() {
  static net::Listener all = [] {
    net::ListenerOptions options;
    options.limits = {.inbound_bytes = 1 << 20, .handshake = 5000ms, .goodbye = 20ms};
    options.first_message_bytes = net::kHeaderBytes + 34;
    options.threads = 1;
    options.admit = [](const net::ShownCredentials& shown) {
      return std::string_view(shown.token.data(), shown.token.size()) == "good" ? std::any(1) : std::any();
    };
    options.on_lost = [](const std::string&, const std::string& sentence) {
      require(!sentence.empty(), "a sentence says why");
      ++lost;
    };
    return net::Listener("127.0.0.1", 0, net::make_self_signed("localhost"), std::move(options));
  }();
  return all;
}

void run(ByteView input) {
  const std::uint64_t before = lost;
  TlsClient client(listener().port());
  require(client.open(), "TLS is spoken");
  client.write(input);
  client.finish();
  // The client is let in with its first message, or lost.
  std::unique_ptr<net::ServedChannel> channel;
  while (!channel && lost == before) channel = listener().accept(2ms);
  if (!channel) return;
  channel->set_deadline(5s);
  for (;;) (void)channel->receive(0x0100, 0, 256);
}

std::string request(const std::string& more) {
  const std::string fixed =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  return fixed + more + "\r\n";
}

std::vector<Bytes> seeds() {
  const std::string good = request("Authorization: Bearer good\r\n");
  // Two messages of type 0x0100, masked with zeros as a client may: 34 bytes, then none.
  std::string frames("\x82\xac\0\0\0\0\0\1\x22\0\0\0\0\0\0\0", 16);
  frames += std::string(34, 'x') + std::string("\x82\x8a\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 16);
  return {bytes_of(good), bytes_of(good + frames), bytes_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
          bytes_of(request("Authorization: Basic x\r\n"))};
}

const Register known({.name = "upgrade",
                      .run = run,
                      .seeds = seeds,
                      .mistakes = Mistakes::of_a_peer,
                      .max_bytes = 10000,
                      .dictionary = "http"});

}  // namespace
}  // namespace ap::fuzz

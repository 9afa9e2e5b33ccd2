// The address of a server, as a person types it.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "net/websocket/url.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const net::ServerUrl url = net::parse_server_url(text_of(input));
  require(!url.host.empty() && url.port != 0 && !url.path.empty() && url.path.front() == '/',
          "a whole address");
  const net::ServerUrl again = net::parse_server_url("wss://" + url.authority() + url.path);
  require(again.host == url.host && again.port == url.port && again.path == url.path,
          "an address survives writing");
}

std::vector<Bytes> seeds() {
  return {bytes_of("wss://localhost:9000/path"), bytes_of("wss://[::1]:443"), bytes_of("wss://example.org")};
}

const Register known(
    {.name = "server_url", .run = run, .seeds = seeds, .max_bytes = 512, .dictionary = "url"});

}  // namespace
}  // namespace ap::fuzz

// The argument of --listen.
#include "app/listen_address.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const app::HostPort address = app::parse_listen(text_of(input));
  require(!address.host.empty(), "a host, or every interface");
}

std::vector<Bytes> seeds() { return {bytes_of("127.0.0.1:9000"), bytes_of("[::1]:0"), bytes_of(":443")}; }

const Register known(
    {.name = "listen_address", .run = run, .seeds = seeds, .max_bytes = 256, .dictionary = "url"});

}  // namespace
}  // namespace ap::fuzz

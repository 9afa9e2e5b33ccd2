// The fingerprint that a client pins.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "net/websocket/tls.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const net::TlsTrust trust = net::TlsTrust::pinned_certificate(text_of(input));
  require(trust.value.size() == 64, "32 bytes in hexadecimal");
}

std::vector<Bytes> seeds() {
  std::string colons;
  for (int i = 0; i < 31; ++i) colons += "aB:";
  return {bytes_of(std::string(64, 'f')), bytes_of(colons + "0f")};
}

const Register known({.name = "fingerprint", .run = run, .seeds = seeds, .max_bytes = 256});

}  // namespace
}  // namespace ap::fuzz

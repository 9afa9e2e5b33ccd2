// Certificate and key files of a party, and the file of authorities that a client trusts.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "net/websocket/tls.h"
#include "net/websocket/tls_context.h"

namespace ap::fuzz {
namespace {

constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";

void run(ByteView input) {
  const std::string text = text_of(input);
  const std::size_t end = text.rfind(kEnd);
  const std::size_t cut = end == std::string::npos ? text.size() / 2 : end + kEnd.size();
  const auto certificate = temporary_directory().write("certificate.pem", input.first(cut));
  const auto key = temporary_directory().write("key.pem", input.subspan(cut));
  try {
    (void)net::make_client_context(net::TlsTrust::authorities_in(certificate));
  } catch (const Error& error) {
    require(error.code() == ErrorCode::input, "the file is at fault");
  }
  const net::TlsIdentity identity = net::load_identity(certificate, key);
  require(net::certificate_fingerprint(identity).size() == 64, "SHA-256 in hexadecimal");
  (void)net::make_server_context(identity, true);
}

/// Another one in every run: the key is of the generator of OpenSSL.
std::vector<Bytes> seeds() {
  const net::TlsIdentity identity = net::make_self_signed("localhost");
  Bytes file = bytes_of(identity.certificate_pem);
  file.insert(file.end(), identity.key_pem.begin(), identity.key_pem.end());
  return {file};
}

const Register known({.name = "pem", .run = run, .seeds = seeds, .max_bytes = 8192, .dictionary = "pem"});

}  // namespace
}  // namespace ap::fuzz

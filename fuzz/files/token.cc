// What a client shows: a bearer token and the fingerprint of a certificate, as bytes of its choice.
#include "app/clients.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  static const std::vector<app::Client> clients = app::parse_clients(
      "a token-hash=" + std::string(64, '0') + "\nb certificate=" + std::string(64, '1') + "\n",
      "clients.txt");
  Choices choices(input);
  const std::size_t cut = std::min<std::size_t>(choices.number(1), input.size());
  net::ShownCredentials shown;
  const std::string text = text_of(input);
  shown.token.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut));
  shown.certificate_sha256 = text.substr(cut);
  const auto found = app::find_client(clients, shown);
  require(!found || found->name == "b", "a token cannot be guessed");
  (void)app::hash_token(shown.token);
}

std::vector<Bytes> seeds() {
  const std::string digits(64, '1');
  return {bytes_of("@" + digits + digits), bytes_of("@" + digits + std::string(64, 'A'))};
}

const Register known({.name = "token", .run = run, .seeds = seeds, .max_bytes = 256});

}  // namespace
}  // namespace ap::fuzz

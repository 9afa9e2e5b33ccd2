// The file of clients.
#include "app/clients.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const std::vector<app::Client> clients = app::parse_clients(text_of(input), "clients.txt");
  std::string text;
  for (const app::Client& client : clients) text += app::format_client(client);
  require(app::parse_clients(text, "again").size() == clients.size(), "clients survive writing and reading");
}

std::vector<Bytes> seeds() {
  const std::string a(64, 'a'), b = std::string(32, '0') + std::string(32, 'F');
  return {bytes_of("# who may connect\n\nanna token-hash=" + a +
                   "\nben@example.org group=g limit=5 certificate=" + b + "\n")};
}

const Register known({.name = "clients", .run = run, .seeds = seeds, .dictionary = "clients"});

}  // namespace
}  // namespace ap::fuzz

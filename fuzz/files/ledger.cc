// A ledger's SQLite file: read by an operator's command, and opened by a server that counts with it.
#include "app/ledger.h"
#include "base/files.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"

namespace ap::fuzz {
namespace {

app::Allowance allowance() {
  app::Allowance allowance;
  allowance.package[0] = 7;
  allowance.promised = 100;
  return allowance;
}

app::Client anna() {
  app::Client client;
  client.name = "anna";
  return client;
}

void forget(const std::filesystem::path& file) {
  std::filesystem::remove(file);
  std::filesystem::remove(file.string() + "-journal");
}

void run(ByteView input) {
  const std::filesystem::path file = temporary_directory().path() / "ledger";
  forget(file);
  temporary_directory().write("ledger", input);
  for (const app::Ledger::Row& row : app::Ledger::read(file)) {
    (void)app::Ledger::used_share(app::Ledger::read(file), row.client);
    break;
  }
  app::Ledger ledger(file, allowance());
  ledger.remember({anna()});
  (void)ledger.count(anna());
  const app::Standing standing = ledger.standing(anna().group);
  require(standing.remaining() <= standing.limit, "no more is left than there is");
}

std::vector<Bytes> seeds() {
  const std::filesystem::path file = temporary_directory().path() / "seed";
  forget(file);
  {
    app::Ledger ledger(file, allowance());
    ledger.remember({anna()});
    for (int i = 0; i < 3; ++i) (void)ledger.count(anna());
  }
  return {read_file(file, 1 << 20)};
}

const Register known(
    {.name = "ledger", .run = run, .seeds = seeds, .max_bytes = 65536, .dictionary = "ledger"});

}  // namespace
}  // namespace ap::fuzz

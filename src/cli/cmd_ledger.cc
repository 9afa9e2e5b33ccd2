// autoprivacy ledger FILE: how many inferences a server has prepared, for whom.
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <set>

#include "app/ledger.h"
#include "cli/common.h"
#include "cli/table.h"

namespace ap::cli {
namespace {

using app::Ledger;

/// What is left for a client by the promise of one package, all packages of the ledger considered.
std::uint64_t remaining(const std::vector<Ledger::Row>& rows, const Ledger::Row& row) {
  double share = row.groups.empty() ? Ledger::used_share(rows, "") : 0;
  for (const std::string& group : row.groups) share = std::max(share, Ledger::used_share(rows, group));
  return static_cast<std::uint64_t>(std::floor(std::max(0.0, 1 - share) * static_cast<double>(row.promised)));
}

void show(const std::string& file, bool json) {
  const std::vector<Ledger::Row> rows = Ledger::read(file);
  std::set<std::string> groups;
  for (const Ledger::Row& row : rows) groups.insert(row.groups.begin(), row.groups.end());
  if (json) {
    Json counts = Json::array(), shares = Json::array();
    for (const Ledger::Row& row : rows) {
      const bool promised = row.promised > 0;
      counts.push_back({{"client", row.client.empty() ? Json(nullptr) : Json(row.client)},
                        {"groups", row.groups},
                        {"package_id", row.package},
                        {"prepared", row.prepared},
                        {"promised", promised ? Json(row.promised) : Json(nullptr)},
                        {"remaining", promised ? Json(remaining(rows, row)) : Json(nullptr)}});
    }
    for (const std::string& group : groups) {
      shares.push_back({{"group", group}, {"used", Ledger::used_share(rows, group)}});
    }
    print(Json{{"clients", std::move(counts)}, {"groups", std::move(shares)}});
    return;
  }
  using enum Table::Align;
  Table table(
      {{"client", left}, {"groups", left}, {"package", left}, {"prepared"}, {"promised"}, {"remaining"}});
  for (const Ledger::Row& row : rows) {
    const bool promised = row.promised > 0;
    table.row({row.client.empty() ? "(any)" : row.client, fmt::format("{}", fmt::join(row.groups, ",")),
               row.package.substr(0, 16), std::to_string(row.prepared),
               promised ? std::to_string(row.promised) : "-",
               promised ? std::to_string(remaining(rows, row)) : "-"});
  }
  print(table.text());
}

}  // namespace

void add_ledger(CLI::App& app, Action& action) {
  struct Options {
    std::string file;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("ledger", "Show how many inferences a server has prepared, for whom");
  command
      ->add_option("file", options->file,
                   "The file that `serve` counts in: server.apm.ledger unless told otherwise")
      ->required()
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { show(options->file, options->json); }; });
}

}  // namespace ap::cli

// autoprivacy clients FILE: who may connect to `serve --clients FILE`, and adding one.
#include <algorithm>
#include <cctype>

#include "app/clients.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/common.h"
#include "cli/table.h"
#include "net/websocket/tls.h"

namespace ap::cli {
namespace {

using app::Client;

constexpr std::uint64_t kMaxPemBytes = 1 << 20;

struct Options {
  std::string file, name, group, certificate;
  std::uint64_t limit = 0;
  bool json = false;
};

const char* proof_name(const Client& client) {
  return client.proof == Client::Proof::token ? "token" : "certificate";
}

void list(const Options& options) {
  const std::vector<Client> clients = app::load_clients(options.file);
  if (options.json) {
    Json json = Json::array();
    for (const Client& client : clients) {
      json.push_back({{"name", client.name},
                      {"group", client.group},
                      {"limit", client.limit > 0 ? Json(client.limit) : Json(nullptr)},
                      {"proof", proof_name(client)}});
    }
    print(Json{{"clients", std::move(json)}});
    return;
  }
  using enum Table::Align;
  Table table({{"client", left}, {"group", left}, {"limit"}, {"known by", left}});
  for (const Client& client : clients) {
    table.row({client.name, client.group, client.limit > 0 ? std::to_string(client.limit) : "-",
               proof_name(client)});
  }
  print(table.text());
}

/// SHA-256 of a certificate, given as a PEM file or as the digits themselves.
std::array<std::uint8_t, 32> digest_of(const std::string& certificate) {
  std::string digits = certificate;
  std::error_code ignored;
  if (std::filesystem::exists(certificate, ignored)) {
    const Bytes pem = read_file(certificate, kMaxPemBytes);
    digits = net::certificate_fingerprint({{pem.begin(), pem.end()}, {}});
  }
  digits = net::TlsTrust::pinned_certificate(digits).value;
  std::array<std::uint8_t, 32> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  return digest;
}

void add(const Options& options) {
  Client client;
  client.name = options.name;
  if (!options.group.empty()) client.group = options.group;
  client.limit = options.limit;
  if (!options.certificate.empty()) {
    client.proof = Client::Proof::certificate;
    client.digest = digest_of(options.certificate);
  }
  const SecretVector<char> token = app::add_client(options.file, client);
  const std::string shown(token.begin(), token.end());
  if (options.json) {
    print(Json{{"name", client.name},
               {"group", client.group},
               {"token", token.empty() ? Json(nullptr) : Json(shown)}});
  } else if (token.empty()) {
    print(fmt::format("added {}, known by its certificate\n", client.name));
  } else {
    say(fmt::format("added {}; this is its token, which is kept nowhere and not shown again", client.name));
    print(shown + "\n");
  }
}

}  // namespace

void add_clients(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("clients", "Show who may connect to a server, or add somebody");
  command->add_option("file", options->file, "The file that `serve --clients` is given")
      ->required()
      ->type_name("FILE");
  auto* name =
      command
          ->add_option("--add", options->name,
                       "Add this client, print its new token once, and make the file if there is none")
          ->type_name("NAME");
  command
      ->add_option("--group", options->group,
                   "Clients of one group may pool what they see, and share one number of inferences")
      ->needs(name)
      ->type_name("GROUP");
  command->add_option("--limit", options->limit, "Inferences that may be prepared for this client alone")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->needs(name)
      ->type_name("N");
  command
      ->add_option("--certificate", options->certificate,
                   "Know it by this TLS certificate (a PEM file or its SHA-256) instead of by a token")
      ->needs(name)
      ->type_name("FILE|HEX");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback(
      [options, &action] { action = [options] { options->name.empty() ? list(*options) : add(*options); }; });
}

}  // namespace ap::cli

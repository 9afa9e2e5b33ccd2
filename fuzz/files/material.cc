// The decrypted halves of stored inferences: the client's and the server's, for every protocol.
#include "fuzz/support/bytes.h"
#include "fuzz/support/script.h"
#include "fuzz/support/sessions.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/preprocessing.h"
#include "protocol/hybrid/server.h"

namespace ap::fuzz {
namespace {

struct Halves {
  package::Package package;
  std::shared_ptr<const protocol::Model> model;
  Bytes client, server;
};

/// The halves that one session leaves in the stores of both parties.
Halves make(const char* protocol, bool label) {
  Halves halves;
  halves.package = tiny_package(protocol, label);
  halves.model =
      std::make_shared<const protocol::Model>(nn::strip_weights(halves.package.network), halves.package.plan);
  const protocol::ServerModel server_model(halves.package);
  const auto store_of = [&](const char* name, Party role) {
    const auto directory = temporary_directory().path() / name;
    std::filesystem::remove_all(directory);
    return std::make_unique<protocol::PreprocessingStore>(directory, role, halves.package.id);
  };
  const auto client_store = store_of("client", Party::client);
  const auto server_store = store_of("server", Party::server);
  (void)record({[&](net::Channel& channel) {
                  protocol::ClientSession session(*halves.model, halves.package.id, channel);
                  session.prepare();
                  (void)session.store(*client_store);
                  session.finish();
                },
                [&](net::Channel& channel) {
                  protocol::ServerOptions options;
                  options.store = server_store.get();
                  protocol::serve_session(server_model, channel, options);
                }});
  const protocol::PreprocessingId id = client_store->ids().at(0);
  const SecretBytes client = client_store->claim(id).value(), server = server_store->claim(id).value();
  halves.client.assign(client.begin(), client.end());
  halves.server.assign(server.begin(), server.end());
  return halves;
}

const std::vector<Halves>& all_halves() {
  static const std::vector<Halves> all = [] {
    std::vector<Halves> made;
    made.push_back(make("gc", false));
    made.push_back(make("ot", true));
    return made;
  }();
  return all;
}

void run(ByteView input) {
  Choices choices(input);
  const std::uint64_t choice = choices.number(1);
  const Halves& halves = all_halves()[choice / 2 % all_halves().size()];
  ScriptChannel channel({});
  if (choice % 2 == 0) {
    const auto material = protocol::parse_client_preprocessing(*halves.model, channel, input);
    require(protocol::serialise(material).size() == input.size(), "a half survives reading and writing");
  } else {
    const auto material = protocol::parse_server_preprocessing(*halves.model, channel, input);
    require(protocol::serialise(material).size() == input.size(), "a half survives reading and writing");
  }
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> files;
  for (std::size_t i = 0; i < all_halves().size(); ++i) {
    for (const bool server : {false, true}) {
      Bytes file = server ? all_halves()[i].server : all_halves()[i].client;
      file.insert(file.begin(), static_cast<std::uint8_t>(2 * i + server));
      files.push_back(std::move(file));
    }
  }
  return files;
}

const Register known({.name = "material",
                      .run = run,
                      .seeds = seeds,
                      .mistakes = Mistakes::of_a_file_or_its_security,
                      .max_bytes = 65536});

}  // namespace
}  // namespace ap::fuzz

// Whole sessions, each party against a hostile one: greetings, keys, uploads, replies, layers, stores,
// results.
#include <filesystem>

#include "fuzz/support/script.h"
#include "fuzz/support/sessions.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "protocol/client.h"
#include "protocol/server.h"

namespace ap::fuzz {
namespace {

using protocol::MaterialStore;

/// Empty at the beginning of every session.
std::unique_ptr<MaterialStore> fresh_store(const char* name, const package::Package& package,
                                           package::Role role) {
  const auto directory = temporary_directory().path() / name;
  std::filesystem::remove_all(directory);
  return std::make_unique<MaterialStore>(directory, role, package.id);
}

Protocol session_of(const package::Package& package, bool stores) {
  const auto server_model = std::make_shared<const protocol::ServerModel>(package);
  const auto model =
      std::make_shared<const protocol::Model>(nn::strip_weights(package.network), package.plan);
  return {[=](net::Channel& channel) {
            protocol::ClientOptions options;
            options.weak = protocol::WeakParameters::allow_for_tests;
            protocol::ClientSession session(*model, package.id, channel, options);
            session.prepare();
            if (stores) {
              const auto store = fresh_store("client-store", package, package::Role::client);
              const protocol::MaterialId id = session.store(*store);
              if (session.use(*store, id) != protocol::ClientSession::Use::ready) return;
            }
            const std::vector<std::int32_t> image(model->size(0), 9);
            for (int i = 0; i < 2 && (i == 0 || !stores); ++i) {
              require(session.infer(image).size() == (model->reveals_label() ? 1 : 3), "a result");
            }
            session.finish();
          },
          [=](net::Channel& channel) {
            std::unique_ptr<MaterialStore> store;
            if (stores) store = fresh_store("server-store", package, package::Role::server);
            protocol::ServerOptions options;
            options.store = store.get();
            options.share_statistics = protocol::ShareStatistics::session;
            options.max_prepared = 2;
            options.may_prepare = [left = 3]() mutable {
              return left-- > 0 ? protocol::Permission{}
                                : protocol::Permission{protocol::PrepareAnswer::used_up, 3};
            };
            protocol::serve_session(*server_model, channel, options);
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = [] {
    std::vector<Scene> all;
    for (const Protocol& protocol :
         {session_of(tiny_package("gc", false), false), session_of(tiny_package("ot", true), false),
          session_of(tiny_package("gc", false), true), session_of(tiny_batched_package(), false)}) {
      all.push_back({protocol, record(protocol)});
    }
    return all;
  }();
  play(scenes, input);
}

const Register known({.name = "session",
                      .run = run,
                      .seeds = edit_seeds,
                      .mistakes = Mistakes::of_a_peer,
                      .max_bytes = 256,
                      .mutate = mutate_edits});

}  // namespace
}  // namespace ap::fuzz

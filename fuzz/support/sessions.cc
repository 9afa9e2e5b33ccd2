#include "fuzz/support/sessions.h"

#include <filesystem>
#include <memory>

#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::fuzz {
namespace {

nn::QuantisedNetwork tiny_network() {
  using namespace protocol::test;
  Prng prng(Seed{9});
  nn::QuantisedNetwork network;
  network.name = "tiny";
  network.nodes.push_back(make_node("input", nn::QInput{}, {}, {1, 4, 4}));
  network.nodes[0].low = -128;
  network.nodes[0].high = 127;
  network.nodes.push_back(
      make_node("conv", make_linear(prng, {1, 4, 4}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 2), {0}, {2, 4, 4}));
  network.nodes.push_back(make_node("relu", make_activation(7), {1}, {2, 4, 4}));
  network.nodes.push_back(make_node("fc", make_linear(prng, {32, 1, 1}, {}, 1, 3), {2}, {3, 1, 1}));
  nn::set_ranges(network, static_cast<int>(network.nodes.size()));
  return network;
}

using protocol::PreprocessingStore;

/// Empty at the beginning of every session.
std::unique_ptr<PreprocessingStore> fresh_store(const char* name, const package::Package& package,
                                                Party role) {
  const auto directory = temporary_directory().path() / name;
  std::filesystem::remove_all(directory);
  return std::make_unique<PreprocessingStore>(directory, role, package.id);
}

}  // namespace

package::Package tiny_package(const char* protocol, bool label) {
  const nn::QuantisedNetwork network = tiny_network();
  plan::Plan plan = plan::select_exact(network);
  for (plan::ActivationChoice& choice : plan.activations) choice.protocol = protocol;
  if (label) {
    plan.reveal = plan::Reveal::label;
    plan.argmax_protocol = protocol;
  }
  return protocol::test::packaged(network, plan);
}

package::Package tiny_simd_package() {
  const nn::QuantisedNetwork network = tiny_network();
  return protocol::test::packaged(network, protocol::test::simd_plan(network, plan::select_exact(network)));
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
              const auto store = fresh_store("client-store", package, Party::client);
              const protocol::PreprocessingId id = session.store(*store);
              if (session.use(*store, id) != protocol::ClientSession::Use::ready) return;
            }
            const std::vector<std::int32_t> image(model->size(0), 9);
            for (int i = 0; i < 2 && (i == 0 || !stores); ++i) {
              require(session.infer(image).size() == (model->reveals_label() ? 1 : 3), "a result");
            }
            session.finish();
          },
          [=](net::Channel& channel) {
            std::unique_ptr<PreprocessingStore> store;
            if (stores) store = fresh_store("server-store", package, Party::server);
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

Scene scene_of(const package::Package& package, bool stores) {
  const Protocol protocol = session_of(package, stores);
  return {protocol, record(protocol)};
}

}  // namespace ap::fuzz

// Activation layers by transfers, each party against a hostile one: trees, choices, leaves, openings, words.
#include "fuzz/support/activation_specs.h"
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "layers/activation/ot/ot_activation.h"

namespace ap::fuzz {
namespace {

SessionKey session() { return SessionKey(Seed{1}); }

Protocol by_transfers(const ActivationSpec& spec) {
  return {[spec](net::Channel& channel) {
            activation::OtActivationClient client(channel, session(), Prng());
            client.expect(activation::ot_cost(spec));
            const auto share = words(spec.arguments());
            const std::vector<std::uint64_t> none;
            const bool offline = spec.needs_words_offline();
            client.run(client.prepare(spec, offline ? share : none), offline ? none : share,
                       words(spec.outputs));
          },
          [spec](net::Channel& channel) {
            activation::OtActivationServer server(channel, session(), Prng());
            server.expect(activation::ot_cost(spec));
            require(server.run(server.prepare(spec), words(spec.arguments())).size() == spec.outputs,
                    "a word for each output");
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = recorded(
      {by_transfers(relu(5)), by_transfers(pooled()), by_transfers(table()), by_transfers(product())});
  play(scenes, input);
}

const Register known(party_target("ot_activations", run));

}  // namespace
}  // namespace ap::fuzz

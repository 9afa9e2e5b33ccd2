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
            client.run(client.prepare(spec), words(spec.inputs), words(spec.outputs));
          },
          [spec](net::Channel& channel) {
            activation::OtActivationServer server(channel, session(), Prng());
            server.expect(activation::ot_cost(spec));
            require(server.run(server.prepare(spec), words(spec.inputs)).size() == spec.outputs,
                    "a word for each output");
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = recorded({by_transfers(relu(5)), by_transfers(pooled())});
  play(scenes, input);
}

const Register known(party_target("ot_activations", run));

}  // namespace
}  // namespace ap::fuzz

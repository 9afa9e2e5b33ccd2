// Garbled activation layers, each party against a hostile one: columns, tables, labels, choices.
#include "fuzz/support/activation_specs.h"
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"

namespace ap::fuzz {
namespace {

SessionKey session() { return SessionKey(Seed{1}); }

Protocol garbled(const ActivationSpec& spec) {
  return {[spec](net::Channel& channel) {
            activation::ActivationGarbler garbler(channel, session());
            garbler.answer(garbler.garble(spec, words(spec.inputs), words(spec.outputs)));
          },
          [spec](net::Channel& channel) {
            activation::ActivationEvaluator evaluator(channel, session());
            activation::EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
            evaluator.request(material, words(spec.inputs));
            require(evaluator.evaluate(std::move(material)).size() == spec.outputs, "a word for each output");
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = recorded({garbled(relu(5)), garbled(pooled()), garbled(prime())});
  play(scenes, input);
}

const Register known(party_target("activations", run));

}  // namespace
}  // namespace ap::fuzz

// Activation layers, garbled and by transfers, each party against a hostile one: tables, labels, choices,
// leaves, words.
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "nonlinear/activation_protocol.h"
#include "nonlinear/activation_spec.h"
#include "nonlinear/ot_activation.h"

namespace ap::fuzz {
namespace {

using nonlinear::ActivationSpec;

SessionKey session() { return SessionKey(Seed{1}); }

ActivationSpec relu(std::size_t elements) {
  ActivationSpec spec;
  spec.inputs = spec.outputs = elements;
  spec.sum_bits = 10;
  spec.guard_bits = 2;
  spec.clamp_bits = 6;
  spec.out_bits = 14;
  return spec;
}

ActivationSpec pooled() {
  ActivationSpec spec = relu(8);
  spec.outputs = 2;
  spec.pool_size = 4;
  spec.windows = {0, 1, 4, 5, 2, 3, 6, 7};
  return spec;
}

ActivationSpec prime() {
  ActivationSpec spec = relu(5);
  spec.in_prime = 4093;
  spec.sum_bits = 10;
  spec.guard_bits = 2;
  return spec;
}

std::vector<std::uint64_t> words(std::size_t count) {
  std::vector<std::uint64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = i * 37 % 1000;
  return values;
}

Protocol garbled(const ActivationSpec& spec) {
  return {[spec](net::Channel& channel) {
            nonlinear::ActivationGarbler garbler(channel, session());
            garbler.answer(garbler.garble(spec, words(spec.inputs), words(spec.outputs)));
          },
          [spec](net::Channel& channel) {
            nonlinear::ActivationEvaluator evaluator(channel, session());
            nonlinear::EvaluatorMaterial material = evaluator.receive_tables(evaluator.prepare(spec));
            evaluator.request(material, words(spec.inputs));
            require(evaluator.evaluate(std::move(material)).size() == spec.outputs, "a word for each output");
          }};
}

Protocol by_transfers(const ActivationSpec& spec) {
  return {[spec](net::Channel& channel) {
            nonlinear::OtActivationClient client(channel, session(), Prng());
            client.expect(nonlinear::ot_cost(spec));
            client.run(client.prepare(spec), words(spec.inputs), words(spec.outputs));
          },
          [spec](net::Channel& channel) {
            nonlinear::OtActivationServer server(channel, session(), Prng());
            server.expect(nonlinear::ot_cost(spec));
            require(server.run(server.prepare(spec), words(spec.inputs)).size() == spec.outputs,
                    "a word for each output");
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = [] {
    std::vector<Scene> all;
    for (const Protocol& protocol : {garbled(relu(5)), garbled(pooled()), garbled(prime()),
                                     by_transfers(relu(5)), by_transfers(pooled())}) {
      all.push_back({protocol, record(protocol)});
    }
    return all;
  }();
  play(scenes, input);
}

const Register known({.name = "activations",
                      .run = run,
                      .seeds = edit_seeds,
                      .mistakes = Mistakes::of_a_peer,
                      .max_bytes = 256,
                      .mutate = mutate_edits});

}  // namespace
}  // namespace ap::fuzz

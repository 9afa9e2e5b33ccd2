// A whole session of the activation protocol for tests: layers prepared one ahead, then run online.
#pragma once

#include <optional>
#include <vector>

#include "layers/activation/gc/activation_evaluator.h"
#include "layers/activation/gc/activation_garbler.h"
#include "tests/layers/activation/test_layers.h"
#include "tests/mpc/two_parties.h"

namespace ap::activation {

/// Fills in every layer's result.
inline void run_session(mpc::ChannelPair& channels, std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(seed), 1));
        std::vector<GarblerPreprocessing> materials;
        for (const TestLayer& layer : layers)
          materials.push_back(garbler.garble(layer.spec, layer.b, layer.r));
        for (GarblerPreprocessing& material : materials) garbler.answer(std::move(material));
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(seed), 2));
        std::vector<EvaluatorPreprocessing> materials;
        PreparedChoices ahead = evaluator.prepare(layers[0].spec);
        for (std::size_t i = 0; i < layers.size(); ++i) {
          PreparedChoices current = std::move(ahead);
          if (i + 1 < layers.size()) ahead = evaluator.prepare(layers[i + 1].spec);
          materials.push_back(evaluator.receive_tables(std::move(current)));
        }
        for (std::size_t i = 0; i < layers.size(); ++i) {
          evaluator.request(materials[i], layers[i].a);
          layers[i].result = evaluator.evaluate(std::move(materials[i]));
        }
      });
}

inline void run_session(std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::ChannelPair channels;
  run_session(channels, layers, seed);
}

}  // namespace ap::activation

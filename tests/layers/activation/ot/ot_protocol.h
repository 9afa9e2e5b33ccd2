// A whole session of the `ot` protocol for tests: all layers prepared, then run online.
#pragma once

#include "layers/activation/ot/ot_activation.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {

/// Prepares all layers, then runs them; fills in the results.
inline void run_ot_session(mpc::ChannelPair& channels, std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient client(*channels.client, mpc::test_session(), Prng(mpc::test_seed(seed), 1));
        for (const TestLayer& layer : layers) client.expect(ot_cost(layer.spec));
        std::vector<OtClientPreprocessing> materials;
        for (const TestLayer& layer : layers) materials.push_back(client.prepare(layer.spec));
        for (std::size_t i = 0; i < layers.size(); ++i)
          client.run(std::move(materials[i]), layers[i].b, layers[i].r);
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session(), Prng(mpc::test_seed(seed), 2));
        for (const TestLayer& layer : layers) server.expect(ot_cost(layer.spec));
        std::vector<OtServerPreprocessing> materials;
        for (const TestLayer& layer : layers) materials.push_back(server.prepare(layer.spec));
        for (std::size_t i = 0; i < layers.size(); ++i)
          layers[i].result = server.run(std::move(materials[i]), layers[i].a);
      });
}

}  // namespace ap::activation

// A whole session of the `one-trip` protocol for tests: all layers prepared, then run online.
#pragma once

#include "layers/activation/one_trip/one_trip_activation.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {

inline std::shared_ptr<const OneTripPlan> one_trip_plan(const ActivationSpec& spec) {
  return std::make_shared<const OneTripPlan>(plan_one_trip_layer(spec));
}

/// Prepares all layers, one direction's transfers before the other's, then runs them; fills in the results.
inline void run_one_trip_session(mpc::ChannelPair& channels, std::vector<TestLayer>& layers,
                                 std::uint8_t seed) {
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient session(*channels.client, mpc::test_session(), Prng(mpc::test_seed(seed), 1));
        for (const TestLayer& layer : layers) session.expect(one_trip_cost(*one_trip_plan(layer.spec)));
        std::vector<OneTripClientPreprocessing> materials;
        for (const TestLayer& layer : layers)
          materials.push_back(OneTripClient::begin(session, one_trip_plan(layer.spec)));
        for (std::size_t i = 0; i < layers.size(); ++i)
          OneTripClient::complete(session, materials[i], layers[i].b, layers[i].r);
        session.finish();
        for (auto& material : materials) OneTripClient::run(*channels.client, std::move(material));
      },
      [&] {
        OtActivationServer session(*channels.server, mpc::test_session(), Prng(mpc::test_seed(seed), 2));
        for (const TestLayer& layer : layers) session.expect(one_trip_cost(*one_trip_plan(layer.spec)));
        std::vector<OneTripServerPreprocessing> materials;
        for (const TestLayer& layer : layers)
          materials.push_back(OneTripServer::begin(session, one_trip_plan(layer.spec)));
        for (auto& material : materials) OneTripServer::complete(session, material);
        session.finish();
        for (std::size_t i = 0; i < layers.size(); ++i)
          layers[i].result = OneTripServer::run(*channels.server, std::move(materials[i]), layers[i].a);
      });
}

}  // namespace ap::activation

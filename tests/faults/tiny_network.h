// The smallest networks that are served privately, with the parameters of real ones: a linear layer alone,
// and one with an activation between two.
#pragma once

#include <vector>

#include "nn/execute/integer_executor.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/model.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::faults {

struct Served {
  explicit Served(package::Package served)
      : package(std::move(served)),
        server(package),
        client(nn::strip_weights(package.network), package.plan) {}

  std::vector<std::int32_t> image(std::uint64_t number) const {
    const nn::QNode& input = package.network.nodes.front();
    std::vector<std::int32_t> values(static_cast<std::size_t>(input.shape.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<std::int32_t>((number * 37 + i * 11) % 256) - 128;
    return values;
  }

  package::Package package;
  protocol::ServerModel server;
  protocol::Model client;
};

inline package::Package tiny_package(bool with_activation) {
  using namespace protocol::test;
  Prng prng(Seed{3});
  nn::QuantisedNetwork net;
  net.name = "tiny";
  net.nodes.push_back(make_node("input", nn::QInput{}, {}, {4, 1, 1}));
  net.nodes[0].low = -128;
  net.nodes[0].high = 127;
  net.nodes.push_back(make_node("first", make_linear(prng, {4, 1, 1}, {}, 1, 2), {0}, {2, 1, 1}));
  if (with_activation) {
    net.nodes.push_back(make_node("relu", make_activation(7), {1}, {2, 1, 1}));
    net.nodes.push_back(make_node("second", make_linear(prng, {2, 1, 1}, {}, 1, 3), {2}, {3, 1, 1}));
  }
  nn::set_ranges(net, static_cast<int>(net.nodes.size()));
  plan::Plan plan = plan::select_exact(net);
  for (plan::ActivationChoice& choice : plan.activations) choice.protocol = "gc";
  return packaged(std::move(net), std::move(plan));
}

}  // namespace ap::faults

#include "fuzz/support/sessions.h"

#include "plan/select.h"
#include "protocol/batched_plan.h"
#include "protocol/packaged.h"
#include "protocol/small_network.h"

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

}  // namespace

package::Package tiny_package(const char* engine, bool label) {
  const nn::QuantisedNetwork network = tiny_network();
  plan::Plan plan = plan::select_exact(network);
  for (plan::ActivationChoice& choice : plan.activations) choice.engine = engine;
  if (label) {
    plan.reveal = plan::Reveal::label;
    plan.argmax_engine = engine;
  }
  return protocol::test::packaged(network, plan);
}

package::Package tiny_batched_package() {
  const nn::QuantisedNetwork network = tiny_network();
  return protocol::test::packaged(network,
                                  protocol::test::batched_plan(network, plan::select_exact(network)));
}

}  // namespace ap::fuzz

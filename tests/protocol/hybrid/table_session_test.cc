// Networks with tables and products of private tensors, run privately in this process.
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "nn/execute/integer_executor.h"
#include "package/package.h"
#include "plan/activation_spec.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/preprocessing.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/gated_network.h"
#include "tests/protocol/hybrid/packaged.h"

namespace ap::protocol {
namespace {

using test::gated_network;
using test::packaged;

plan::Plan exact_plan(const nn::QuantisedNetwork& network) {
  plan::SelectOptions options;
  options.max_changes = 1e-4;
  return plan::select_exact(network, options);
}

std::vector<std::vector<std::int32_t>> images_of(const nn::QuantisedNetwork& network, std::size_t count) {
  Prng prng(Seed{16});
  std::vector<std::vector<std::int32_t>> images(count);
  for (auto& image : images) {
    image.resize(static_cast<std::size_t>(network.input_shape().size()));
    for (std::int32_t& v : image) v = static_cast<std::int32_t>(prng.next64() % 256) - 128;
  }
  return images;
}

template <typename Body>
void in_session(const package::Package& package, const Body& body) {
  const package::Pair files = package::make_packages(package);
  const ServerModel server_model(package::parse(files.server, "server.apm"));
  const package::Package client = package::parse(files.client, "client.apm");
  const Model client_model(client.network, client.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  std::thread server([&, &channel = server_channel] { serve_session(server_model, *channel); });
  {
    ClientSession session(client_model, client.id, *client_channel);
    body(session);
    session.finish();
  }
  server.join();
}

TEST(TableSession, LogitsAreThoseOfTheClearNetwork) {
  const nn::QuantisedNetwork network = gated_network();
  const auto images = images_of(network, 8);
  in_session(packaged(network, exact_plan(network)), [&](ClientSession& session) {
    for (const auto& image : images) {
      const auto logits = session.infer(image);
      const auto clear = nn::integer_logits(network, image);
      EXPECT_TRUE(std::equal(logits.begin(), logits.end(), clear.begin(), clear.end()));
    }
    std::size_t transfers = 0;
    for (const LayerCost& layer : session.report().layers) transfers += layer.protocol == "ot";
    EXPECT_EQ(transfers, 6U);
  });
}

TEST(TableSession, GarblingFitsNone) {
  const nn::QuantisedNetwork network = gated_network();
  const plan::Plan plan = exact_plan(network);
  const Model model(network, plan);
  for (std::size_t i = 0; i < model.activations().size(); ++i) {
    EXPECT_FALSE(is_open(model, i));
    EXPECT_TRUE(protocol_fits(ActivationProtocol::ot, model.activations()[i]));
    EXPECT_FALSE(protocol_fits(ActivationProtocol::gc, model.activations()[i]));
    EXPECT_FALSE(protocol_fits(ActivationProtocol::beaver, model.activations()[i]));
  }
}

TEST(TableSession, PlansThatDoNotFitAreRefused) {
  const nn::QuantisedNetwork network = gated_network();
  const plan::Plan good = exact_plan(network);
  ASSERT_NO_THROW(plan::validate(good, network));
  const auto refused = [&](std::size_t activation, const auto& change) {
    plan::Plan plan = good;
    change(plan, plan.activations[activation]);
    try {
      plan::validate(plan, network);
    } catch (const Error& error) {
      return error.code() == ErrorCode::input;
    }
    return false;
  };
  for (const std::size_t activation : {std::size_t{0}, std::size_t{2}}) {  // a table, a product
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.protocol = "gc"; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.protocol = "auto"; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.truncation.shift += 1; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.truncation.guard_bits = 17; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.truncation.sum_bits = 1; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.truncation.sum_bits = 40; }));
    EXPECT_TRUE(refused(activation, [](auto&, auto& c) { c.out_bits += 1; }));
    EXPECT_TRUE(refused(activation, [](auto& plan, auto& c) {
      c.out_bits = 7;
      plan.modulus_bits[static_cast<std::size_t>(c.node)] = 7;
    }));
  }
}

}  // namespace
}  // namespace ap::protocol

// Predicted bytes against those that sessions really move, layer by layer and to the last byte.
#include "analysis/prediction/predict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "analysis/prediction/choose_protocols.h"
#include "package/package.h"
#include "plan/quadratic.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/mixed_network.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package package_with(const std::vector<std::string>& protocols) {
  const nn::QuantisedNetwork network = test::small_network();
  plan::Plan plan = plan::select_exact(network);
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    plan.activations[i].protocol = protocols[i % protocols.size()];
  }
  return test::packaged(network, plan);
}

/// Runs `images` inferences of zeros; the reports of all.
std::vector<Report> run_session(const package::Package& package, int images) {
  const ServerModel server_model(package);
  const Model model(package.network, package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  std::thread server([&, &channel = server_channel] { serve_session(server_model, *channel, {}); });
  std::vector<Report> reports;
  {
    // Those of slots are.
    ClientOptions options;
    options.weak = WeakParameters::allow_for_tests;
    ClientSession session(model, package.id, *client_channel, options);
    const std::vector<std::int32_t> image(model.size(0), 0);
    for (int i = 0; i < images; ++i) {
      session.infer(image);
      reports.push_back(session.report());
    }
    session.finish();
  }
  server.join();
  return reports;
}

void expect_bytes(const cost::PhaseCost& predicted, double images, std::uint64_t up, std::uint64_t down) {
  EXPECT_NEAR(predicted.bytes_up * images, static_cast<double>(up), 1e-3);
  EXPECT_NEAR(predicted.bytes_down * images, static_cast<double>(down), 1e-3);
}

void expect_exact_bytes(const package::Package& package, int images, const cost::Setting& setting = {}) {
  const std::vector<Report> reports = run_session(package, images);
  const Model model(package.network, package.plan);
  const cost::Prediction predicted = predict(model, cost::typical_profile(), setting, images);
  Report sum = reports.front();
  for (std::size_t i = 1; i < reports.size(); ++i) {
    sum.offline += reports[i].offline;
    sum.online += reports[i].online;
    for (std::size_t k = 0; k < sum.layers.size(); ++k) {
      sum.layers[k].offline += reports[i].layers[k].offline;
      sum.layers[k].online += reports[i].layers[k].online;
    }
  }
  expect_bytes(predicted.offline, images, sum.offline.bytes_up, sum.offline.bytes_down);
  expect_bytes(predicted.online, images, sum.online.bytes_up, sum.online.bytes_down);
  std::size_t linear = 0, activation = 0;
  for (const LayerCost& layer : sum.layers) {
    const cost::LayerPrediction& p =
        layer.op == "linear" ? predicted.linears[linear++] : predicted.activations[activation++];
    SCOPED_TRACE(layer.name);
    expect_bytes(p.offline, images, layer.offline.bytes_up, layer.offline.bytes_down);
    expect_bytes(p.online, images, layer.online.bytes_up, layer.online.bytes_down);
  }
  EXPECT_EQ(linear, predicted.linears.size());
  EXPECT_EQ(activation, predicted.activations.size());
}

TEST(Predict, BytesOfGarbledSessions) { expect_exact_bytes(package_with({"gc"}), 2); }
TEST(Predict, BytesOfTransferSessions) {
  expect_exact_bytes(package_with({"ot"}), 1);
  expect_exact_bytes(package_with({"ot"}), 3);
}
TEST(Predict, BytesOfOneTripSessions) {
  expect_exact_bytes(package_with({"one-trip"}), 1);
  expect_exact_bytes(package_with({"one-trip", "ot"}), 3);
}
TEST(Predict, BytesOfMixedSessions) { expect_exact_bytes(package_with({"ot", "gc"}), 2); }

TEST(Predict, BytesOfSessionsThatRevealTheLabel) {
  for (const char* protocol : {"gc", "ot", "one-trip"}) {
    SCOPED_TRACE(protocol);
    package::Package package = package_with({protocol});
    package.plan.reveal = plan::Reveal::label;
    package.plan.argmax_protocol = protocol;
    package.id = package::make_packages(package).id;
    expect_exact_bytes(package, 2);
    const Model model(package.network, package.plan);
    set_predictions(predict(model, cost::typical_profile(), {}), package.plan);
  }
}

TEST(Predict, BytesOfQuadraticSessions) {
  package::Package package = package_with({"gc"});
  package.network = test::mixed_network();
  // The argument of the quadratics is rounded exactly, then not.
  for (const bool exact : {true, false}) {
    package.plan = plan::select_exact(package.network, {.guard_bits = exact ? 16 : 2});
    for (const char* protocol : {"gc", "ot"}) {
      for (plan::ActivationChoice& choice : package.plan.activations) {
        if (choice.protocol != plan::kQuadraticProtocol) choice.protocol = protocol;
      }
      package.id = package::make_packages(package).id;
      expect_exact_bytes(package, 2);
    }
  }
}

package::Package package_of_slots() {
  package::Package package = package_with({"gc"});
  package.plan = test::simd_plan(package.network, package.plan, {});
  package.id = package::make_packages(package).id;
  return package;
}

TEST(Predict, BytesOfLayersPackedBySlots) {
  package::Package package = package_of_slots();
  ASSERT_TRUE(plan::keeps_keys(package.plan));
  expect_exact_bytes(package, 3);
  // Keys for each inference.
  package.plan.failure_log2 = -15;
  package.id = package::make_packages(package).id;
  expect_exact_bytes(package, 2);
}

TEST(Predict, KeysOfSlotsAreSpreadOverTheSession) {
  package::Package package = package_of_slots();
  const Model model(package.network, package.plan);
  const cost::Prediction one = predict(model, cost::typical_profile(), {}, 1),
                         four = predict(model, cost::typical_profile(), {}, 4);
  EXPECT_NEAR(one.offline.bytes_up - four.offline.bytes_up, 0.75 * one.session.bytes_up, 1e-3);
  EXPECT_LT(four.offline.client_cpu_s, one.offline.client_cpu_s);
  package.plan.failure_log2 = -15;
  const Model renewed(package.network, package.plan);
  const cost::Prediction each = predict(renewed, cost::typical_profile(), {}, 4);
  EXPECT_GT(each.offline.bytes_up, four.offline.bytes_up);
  EXPECT_GT(each.offline.client_cpu_s, four.offline.client_cpu_s);
}

TEST(Predict, WhatHappensOnceIsSpreadOverTheSession) {
  const package::Package package = package_with({"ot"});
  const Model model(package.network, package.plan);
  const cost::Profile profile = cost::typical_profile();
  const cost::Prediction one = predict(model, profile, {}, 1), many = predict(model, profile, {}, 100);
  EXPECT_GT(one.offline.bytes(), many.offline.bytes());
  EXPECT_GT(one.offline.seconds, many.offline.seconds);
  EXPECT_DOUBLE_EQ(one.online.seconds, many.online.seconds);
  EXPECT_LE(one.session.bytes(), one.offline.bytes());
}

TEST(Predict, MoreBandwidthIsNeverSlower) {
  const package::Package package = package_with({"gc"});
  const Model model(package.network, package.plan);
  double last = 1e9;
  for (const double bandwidth : {1e5, 1e6, 1e7, 1e9}) {
    const cost::Prediction p =
        predict(model, cost::typical_profile(), {2, false, bandwidth, 1e-3}, kTypicalSession);
    EXPECT_LE(p.offline.seconds + p.online.seconds, last);
    last = p.offline.seconds + p.online.seconds;
  }
}

TEST(Predict, MemoryIsTakenOnceASession) {
  const package::Package package = package_with({"gc"});
  const Model model(package.network, package.plan);
  cost::Profile profile = cost::typical_profile();
  const auto client = [&](std::uint64_t images) {
    return predict(model, profile, {}, images).offline.client_cpu_s * static_cast<double>(images);
  };
  profile.first_byte = 0;
  const double one = client(1), ten = client(10);
  profile.first_byte = 1e-6;
  double bits = 0;
  for (const ActivationLayer& layer : model.activations())
    bits += static_cast<double>(layer.spec.inputs) * layer.spec.share_bits();
  EXPECT_NEAR(client(1) - one, bits * 16 * 1e-6, 1e-6 * one);
  EXPECT_NEAR(client(10) - ten, bits * 16 * 1e-6, 1e-6 * ten);
}

TEST(Link, NearLinksAreAllTheSame) {
  cost::Profile profile = cost::typical_profile();
  profile.network.round_trip = 70e-6;
  const cost::Setting local = cost::Setting::local(profile.cores, 70e-6);
  for (const Link& link :
       {Link{local.round_trip_s, local.bytes_per_second}, Link{50e-6, 2e9}, Link{9e-4, 2e8}}) {
    const cost::Setting setting = setting_of(link, profile);
    EXPECT_TRUE(setting.same_machine);
    EXPECT_EQ(setting.round_trip_s, local.round_trip_s);
    EXPECT_EQ(setting.bytes_per_second, local.bytes_per_second);
  }
  for (const Link& link : {Link{2e-3, 2e9}, Link{5e-4, 125e6}}) {
    const cost::Setting setting = setting_of(link, profile);
    EXPECT_FALSE(setting.same_machine);
    EXPECT_EQ(setting.round_trip_s, link.round_trip_s);
    EXPECT_EQ(setting.bytes_per_second, link.bytes_per_second);
  }
}

TEST(Link, BytesDecideOnSlowLinksLatencyOnLongOnes) {
  const package::Package package = package_with({"auto"});
  const Model model(package.network, package.plan);
  const auto count = [&](const Link& link, ActivationProtocol protocol) {
    return std::ranges::count(choose_protocols(model, link), protocol);
  };
  const auto all = static_cast<std::ptrdiff_t>(model.activations().size());
  EXPECT_EQ(count({1e-4, 1e5}, ActivationProtocol::ot), all);
  EXPECT_GE(count({0.04, 12.5e6}, ActivationProtocol::one_trip), 1);
  // One trip for a ReLU; a maximum by garbling needs no more than one either.
  EXPECT_GE(count({1, 1e9}, ActivationProtocol::one_trip), 1);
  EXPECT_EQ(count({1, 1e9}, ActivationProtocol::ot), 0);
  EXPECT_EQ(count({1, 1e9}, ActivationProtocol::one_trip) + count({1, 1e9}, ActivationProtocol::gc), all);
}

/// What runs over a channel inside this process is what was predicted for one machine.
/// Whatever a client measures on a fast link, it chooses as was predicted for one machine; what the choice then costs
/// is exact, as for plans that name their protocols. (A run that measures its link would be as good as the moment.)
TEST(Predict, TheChoiceOfProtocolsIsThatOfTheRun) {
  const package::Package package = package_with({"auto"});
  const Model model(package.network, package.plan);
  const cost::Setting local = cost::Setting::local(2, 1e-4);
  const std::vector<ActivationProtocol> predicted =
      choose_protocols(model, {local.round_trip_s, local.bytes_per_second});
  for (const Link& measured : {Link{1e-6, 1e11}, Link{1e-4, 3e9}, Link{9e-4, 1.6e8}}) {
    EXPECT_EQ(choose_protocols(model, measured), predicted) << measured.round_trip_s;
  }
  std::vector<std::string> names;
  for (const ActivationProtocol protocol : predicted) names.emplace_back(name_of(protocol));
  expect_exact_bytes(package_with(names), 1, local);
}

TEST(Predict, PlansCarryTheFiguresOfTheirLayers) {
  package::Package package = package_with({"gc", "ot"});
  const Model model(package.network, package.plan);
  const cost::Prediction p = predict(model, cost::typical_profile(), {});
  set_predictions(p, package.plan);
  for (std::size_t i = 0; i < package.plan.linears.size(); ++i) {
    EXPECT_EQ(static_cast<double>(package.plan.linears[i].predicted_bytes), p.linears[i].offline.bytes());
    EXPECT_GT(package.plan.linears[i].predicted_s, 0);
  }
}

}  // namespace
}  // namespace ap::protocol

// Makes the recordings, or checks that they are what the program does now (tests/portable/recording.h). It needs the
// planner, which the builds for other machines lack.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "nn/execute/integer_executor.h"
#include "tests/portable/parties.h"
#include "tests/transcripts/packages.h"

namespace ap::portable {
namespace {

using namespace protocol::test;

/// input 2x6x6 -> conv -> quadratic -> conv -> ReLU -> conv -> ReLU and max-pool -> fully connected.
nn::QuantisedNetwork network_of_many_kinds() {
  Prng prng(Seed{6});
  nn::QuantisedNetwork net;
  net.name = "kinds";
  auto& nodes = net.nodes;
  const nn::Window same{3, 3, 1, 1, {1, 1, 1, 1}};
  nodes.push_back(make_node("input", nn::QInput{}, {}, {2, 6, 6}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(make_node("conv1", make_linear(prng, {2, 6, 6}, same, 1, 4), {0}, {4, 6, 6}));
  nodes.push_back(make_node("square", nn::QQuadratic{6, 4000, 611, 2, 10, -5, 8}, {1}, {4, 6, 6}));
  nodes.push_back(make_node("conv2", make_linear(prng, {4, 6, 6}, same, 1, 4), {2}, {4, 6, 6}));
  nodes.push_back(make_node("relu", make_activation(8), {3}, {4, 6, 6}));
  nodes.push_back(make_node("conv3", make_linear(prng, {4, 6, 6}, same, 1, 3), {4}, {3, 6, 6}));
  nn::QActivation pooled = make_activation(8);
  pooled.has_pool = true;
  pooled.pool = {3, 3, 2, 2, {1, 1, 0, 0}};
  nodes.push_back(make_node("relu_pool", pooled, {5}, {3, 3, 3}));
  nodes.push_back(make_node("fc", make_linear(prng, {27, 1, 1}, {}, 1, 10), {6}, {10, 1, 1}));
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return transcripts::with_scales(std::move(net));
}

std::int64_t best(const std::vector<std::int32_t>& logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

/// One session of this package with an inference, whose result is that of the integer network: the label, or logits that
/// differ by what local truncation of the activations may change.
Recording record(const package::Package& package) {
  constexpr std::int64_t kDeviation = 2000;
  const package::Pair files = package::make_packages(package);
  Inference inference;
  inference.input.resize(static_cast<std::size_t>(package.network.nodes.front().shape.size()));
  for (std::size_t i = 0; i < inference.input.size(); ++i)
    inference.input[i] = static_cast<std::int32_t>((37 + i * 11) % 256) - 128;
  Recording recording = play_parties(package::without_compression(files.server, "server.apm"),
                                     package::without_compression(files.client, "client.apm"), {inference});
  const std::vector<std::int32_t> expected = nn::IntegerExecutor(package.network).logits(inference.input);
  const std::vector<std::int64_t>& result = recording.inferences.front().result;
  if (package.plan.reveal == plan::Reveal::label) {
    EXPECT_EQ(result, std::vector<std::int64_t>{best(expected)});
  } else {
    EXPECT_EQ(result.size(), expected.size());
    for (std::size_t i = 0; i < std::min(result.size(), expected.size()); ++i) {
      EXPECT_LE(std::abs(result[i] - expected[i]), kDeviation) << i;
    }
  }
  return recording;
}

void expect_current(const std::string& name, const Recording& recording) {
  const Bytes bytes = serialise(recording);
  if (const char* folder = std::getenv("AP_RECORD")) {
    write_file(std::filesystem::path(folder) / (name + ".recording"), bytes, Readers::everyone);
  }
  const Bytes there = read_file(recording_path(name), 1 << 24);
  EXPECT_EQ(crypto::sha256(bytes), crypto::sha256(there))
      << name
      << ".recording is not what the program does now; if that is meant, see tests/portable/recording.h";
  EXPECT_EQ(serialise(parse_recording(bytes, name)), bytes);
}

// Convolutions in coefficients, ReLU by garbling and by transfers, a quadratic.
TEST(Record, Coefficients) {
  const nn::QuantisedNetwork network = network_of_many_kinds();
  expect_current(
      "coefficients",
      record(packaged(network, transcripts::coefficient_plan(network, transcripts::Protocols::alternating))));
}

// Matrices in slots, a label.
TEST(Record, Slots) {
  const nn::QuantisedNetwork network = transcripts::with_scales(faults::tiny_package(true).network);
  expect_current("slots", record(packaged(
                              network, transcripts::revealing_label(transcripts::slot_plan(network), "gc"))));
}

}  // namespace
}  // namespace ap::portable

// Networks of homomorphic encryption alone on a real server, over real sockets.
#include <gtest/gtest.h>

#include <fstream>

#include "app/he/compile.h"
#include "app/he/simulate.h"
#include "base/error.h"
#include "base/files.h"
#include "protocol/he/client.h"
#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"
#include "tests/he_only/networks.h"

namespace ap::app::he {
namespace {

using he_only::testing::Builder;
using he_only::testing::window;

struct Made {
  Compiled compiled;
  nn::Dataset data;
};
const Made& made() {
  static const Made m = [] {
    Builder b({1, 6, 6}, 21);
    b.connect(b.square(b.conv(0, 2, window(3, 2, 1))), 4);
    Made result;
    result.data.shape = {1, 6, 6};
    result.data.source = "test";
    for (int i = 0; i < 12; ++i) {
      const std::vector<float> image = b.image();
      result.data.floats.insert(result.data.floats.end(), image.begin(), image.end());
    }
    CompileOptions options;
    options.privacy_inferences = 256;
    result.compiled = compile(b.graph(), result.data, {}, options);
    return result;
  }();
  return m;
}

TEST(HeServed, ScoresOverASocketAreThoseInTheClear) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "server.apm";
  write_file(path, made().compiled.files.server);
  ServerConfig config;
  config.max_inferences = 3;
  RunningServer server(std::vector<std::filesystem::path>{path}, config);
  const he_only::Package client = he_only::parse(made().compiled.files.client, "client.apm");
  const ClearRun clear = run_clear(he_only::parse(made().compiled.files.server, "server.apm"), made().data);
  EXPECT_EQ(clear.overflows, 0U);
  const auto channel = server.connect();
  protocol::he::ClientSession session(client, *channel);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto scores = session.infer(made().data.input(i, {}).data);
    for (std::size_t j = 0; j < scores.size(); ++j) {
      EXPECT_NEAR(scores[j], clear.scores[i][j], 6 * client.shared.score_error);
    }
  }
  EXPECT_EQ(server->inferences(), 3U);
  // The weights may be asked no more.
  try {
    session.infer(made().data.input(3, {}).data);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
  }
  EXPECT_EQ(server->inferences(), 3U);
}

TEST(HeServed, TwoNetworksOfBothProtocolsAreServedTogether) {
  const TemporaryDirectory directory;
  write_file(directory.path() / "alone.apm", made().compiled.files.server);
  const app::Compiled hybrid = compile_small();
  write_file(directory.path() / "hybrid.apm", hybrid.files.server);
  RunningServer server(std::vector<std::filesystem::path>{directory.path()});
  EXPECT_EQ(server->networks().size(), 2U);
  server.expect_serving(package::parse(hybrid.files.client, "client.apm"), hybrid.package);
  const he_only::Package client = he_only::parse(made().compiled.files.client, "client.apm");
  const auto channel = server.connect();
  protocol::he::ClientSession session(client, *channel);
  EXPECT_EQ(session.infer(made().data.input(0, {}).data).size(), 4U);
  session.finish();
}

TEST(HeCompile, WhatCannotBeRunIsRefusedByName) {
  Builder b({1, 6, 6}, 22);
  b.conv(0, 1, window(3, 1, 1));
  nn::Graph graph = b.graph();
  graph.nodes.push_back({"pool1", nn::MaxPoolOp{window(2, 2, 0)}, {1}, {1, 3, 3}});
  try {
    compile(graph, made().data, {}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    EXPECT_NE(std::string(error.what()).find("pool1"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("hybrid"), std::string::npos);
  }
}

TEST(HeCompile, PackagesAreTheSameEveryTime) {
  Builder b({1, 6, 6}, 21);
  b.connect(b.square(b.conv(0, 2, window(3, 2, 1))), 4);
  CompileOptions options;
  options.privacy_inferences = 256;
  EXPECT_EQ(compile(b.graph(), made().data, {}, options).files.server, made().compiled.files.server);
}

TEST(HeSimulate, NoiseOfAnswersKeepsLabels) {
  const Simulation s =
      simulate(he_only::parse(made().compiled.files.server, "server.apm"), made().data, 3, 1);
  EXPECT_EQ(s.images, 12U);
  EXPECT_GE(s.agreement, 0.9);
}

}  // namespace
}  // namespace ap::app::he

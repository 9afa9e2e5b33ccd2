// Networks with curved activations and squeeze-and-excitation from ONNX to private logits.
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "protocol/hybrid/server.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

/// conv -> `activation` -> x sigmoid(conv(relu(conv(pool(x))))) -> conv -> silu times itself shifted -> fully connected.
Bytes smooth_onnx(const std::string& activation) {
  std::mt19937 random(9);
  nn::OnnxBuilder b({1, kSmallSide, kSmallSide});
  const auto conv = [&](const std::string& in, std::int64_t from, std::int64_t to, std::int64_t kernel) {
    const auto weights =
        nn::random_floats(static_cast<std::size_t>(kernel * kernel * from * to), random, -0.7F, 0.7F);
    const std::int64_t pad = kernel / 2;
    return b.node("Conv", {in, b.constant({to, from, kernel, kernel}, weights)},
                  {{"kernel_shape", nn::Dims{kernel, kernel}}, {"pads", nn::Dims{pad, pad, pad, pad}}});
  };
  const std::string x = b.node(activation, {conv("input", 1, 4, 3)});
  const std::string hidden = b.node("Relu", {conv(b.node("GlobalAveragePool", {x}), 4, 2, 1)});
  const std::string gate = b.node("Sigmoid", {conv(hidden, 2, 4, 1)});
  const std::string y = conv(b.node("Mul", {x, gate}), 4, 3, 3);
  const std::string silu = b.node("Mul", {y, b.node("Sigmoid", {y})});
  const std::string squared = b.node("Mul", {silu, b.node("Tanh", {conv(silu, 3, 3, 1)})});
  const std::int64_t features = 3 * kSmallSide * kSmallSide;
  const auto dense =
      nn::random_floats(static_cast<std::size_t>(kSmallClasses * features), random, -0.3F, 0.3F);
  return b.bytes(b.node(
      "Gemm", {b.node("Flatten", {squared}, {{"axis", 1}}), b.constant({kSmallClasses, features}, dense)},
      {{"transB", 1}}));
}

TEST(SmoothNetwork, PrivateLabelsAreThoseOfTheClearNetwork) {
  for (const char* activation : {"HardSwish", "Gelu", "Elu", "Softplus", "Mish", "Softsign"}) {
    const nn::Graph graph = nn::import_onnx_bytes(smooth_onnx(activation), activation);
    for (const char* policy : {"exact", "budget"}) {
      if (std::string(policy) == "budget" && std::string(activation) != "HardSwish") continue;
      CompileOptions options;
      options.policy = policy;
      const Compiled compiled = compile(graph, small_images(32), nn::Normalization{}, options);
      const std::vector<Image> images = small_inputs(compiled.package, 6);
      const package::Package server = package::parse(compiled.files.server, "server.apm");
      const package::Package client = package::parse(compiled.files.client, "client.apm");
      const protocol::ServerModel model(server);
      auto [client_end, server_end] = net::make_local_channels();
      std::thread thread([&, &channel = server_end] { protocol::serve_session(model, *channel); });
      const RunResult run = run_images(client, *client_end, images);
      thread.join();
      const Agreement agreed = compare_with_clear(server.network, images, run.logits);
      if (std::string(policy) == "exact") {
        // Policy exact lets one activation of an inference differ on average; exactness of all that stands between is
        // the sessions' test.
        EXPECT_EQ(agreed.same_class, images.size()) << activation;
      } else {
        EXPECT_GE(agreed.same_class, images.size() - 1) << activation;
      }
      // The first curve, the gate, SiLU, tanh; both products; the ReLU may go either way.
      const auto tables = std::ranges::count_if(server.network.nodes, [](const nn::QNode& node) {
        return std::holds_alternative<nn::QTable>(node.op) || std::holds_alternative<nn::QProduct>(node.op);
      });
      EXPECT_EQ(tables, 6) << activation;
      EXPECT_GE(std::ranges::count(run.mean.layers, "ot", &protocol::LayerCost::protocol), tables);
    }
  }
}

TEST(SmoothNetwork, GarbledCircuitsAreRefusedAndPrimesToo) {
  const nn::Graph graph = nn::import_onnx_bytes(smooth_onnx("HardSwish"), "smooth");
  const auto error = [&](const char* policy, const char* activation) -> std::string {
    CompileOptions options;
    options.policy = policy;
    options.activation = activation;
    try {
      compile(graph, small_images(16), nn::Normalization{}, options);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input);
      return e.what();
    }
    return {};
  };
  EXPECT_NE(error("exact", "gc").find("use --activation auto or ot"), std::string::npos);
  EXPECT_NE(error("delphi", "auto").find("do not share modulo a prime"), std::string::npos);
}

}  // namespace
}  // namespace ap::app

// What `compile` says that the parties need, against what their processes took at most.
#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

class MemoryTest : public CliTest {};

constexpr int kSide = 96;
constexpr std::int64_t kChannels = 48;

// Two convolutions with a ReLU each, a pool and a fully connected layer: enough tensors that they, and not the programs,
// are most of it.
Bytes wide_onnx() {
  std::mt19937 random(7);
  nn::OnnxBuilder b({1, kSide, kSide});
  std::string at = "input";
  for (const std::int64_t in : {std::int64_t{1}, kChannels}) {
    const auto weights = nn::random_floats(static_cast<std::size_t>(9 * in * kChannels), random, -0.1F, 0.1F);
    const auto bias = nn::random_floats(static_cast<std::size_t>(kChannels), random);
    at = b.node(
        "Relu",
        {b.node("Conv", {at, b.constant({kChannels, in, 3, 3}, weights), b.constant({kChannels}, bias)},
                {{"kernel_shape", nn::Dims{3, 3}}, {"pads", nn::Dims{1, 1, 1, 1}}})});
  }
  at = b.node("MaxPool", {at}, {{"kernel_shape", nn::Dims{2, 2}}, {"strides", nn::Dims{2, 2}}});
  const std::int64_t features = kChannels * kSide * kSide / 4;
  const auto dense = nn::random_floats(static_cast<std::size_t>(3 * features), random, -0.1F, 0.1F);
  return b.bytes(b.node("Gemm",
                        {b.node("Flatten", {at}, {{"axis", 1}}), b.constant({3, features}, dense),
                         b.constant({3}, nn::random_floats(3, random))},
                        {{"transB", 1}}));
}

TEST_F(MemoryTest, StatedIsWhatBothPartiesTake) {
  write_file(path("wide.onnx"), wide_onnx());
  std::mt19937 random(3);
  Bytes pixels(2 * kSide * kSide);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
  const std::string side = std::to_string(kSide);
  write_npy(path("wide.npy"), "|u1", "2, 1, " + side + ", " + side, pixels);
  const Result made = run({"compile", path("wide.onnx"), "--calibrate", "npy:" + path("wide.npy"), "--out",
                           path("wide"), "--activation", "ot", "--min-agreement", "0", "--json"});
  ASSERT_EQ(made.status, 0) << made.err;
  const Json stated = Json::parse(made.out)["memory"];
  const Result ran = run({"infer", path("wide/client.apm"), "--local", path("wide/server.apm"), "--data",
                          "npy:" + path("wide.npy"), "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Json peak = Json::parse(ran.out)["peak_rss_bytes"];
  const double server = stated["server_bytes"].get<double>() + stated["session_bytes"].get<double>();
  EXPECT_NEAR(peak["server"].get<double>() / server, 1, 0.1) << peak.dump() << stated.dump();
  EXPECT_NEAR(peak["client"].get<double>() / stated["client_bytes"].get<double>(), 1, 0.1)
      << peak.dump() << stated.dump();
  // Much of it activations, so that this says something.
  EXPECT_GT(stated["client_inference_bytes"].get<double>(), 0.35 * stated["client_bytes"].get<double>());
}

}  // namespace
}  // namespace ap::cli

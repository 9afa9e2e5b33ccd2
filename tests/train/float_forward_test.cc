#include "train/float_forward.h"
#include "tests/support/paths.h"

#include <cmath>

#include "nn/execute/float_executor.h"
#include "nn/onnx/import.h"
#include "tests/train/support.h"

namespace ap::train {
namespace {

void expect_equal_logits(const nn::Graph& graph, std::size_t images, double tolerance) {
  const auto in = random_floats(images * static_cast<std::size_t>(graph.input_shape().size()), 9);
  const std::vector<float> got = differentiable_logits(graph, in), wanted = nn::logits(graph, in);
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wanted[i], tolerance * std::max(1.0, std::abs(double{wanted[i]}))) << i;
  }
}

nn::Graph every_operation() {
  nn::Graph g;
  g.name = "every";
  const nn::Window odd{3, 2, 2, 1, {1, 0, 2, 1}};
  g.nodes.push_back({"in", nn::InputOp{}, {}, {4, 6, 5}});
  g.nodes.push_back({"conv", nn::ConvOp{odd, 2, random_floats(72, 1), random_floats(6, 2)}, {0}, {6, 4, 5}});
  g.nodes.push_back({"clip", nn::ClipOp{-0.5F, 0.7F}, {1}, {6, 4, 5}});
  g.nodes.push_back({"quadratic", nn::QuadraticOp{0.2F, 0.5F, 0.3F}, {1}, {6, 4, 5}});
  g.nodes.push_back({"add", nn::AddOp{}, {2, 3}, {6, 4, 5}});
  g.nodes.push_back({"max", nn::MaxPoolOp{{3, 3, 2, 2, {1, 1, 0, 1}}}, {4}, {6, 2, 3}});
  g.nodes.push_back({"affine", nn::AffineOp{random_floats(6, 3), random_floats(6, 4)}, {5}, {6, 2, 3}});
  g.nodes.push_back({"mean", nn::AveragePoolOp{{2, 2, 1, 1, {0, 1, 0, 0}}, true}, {6}, {6, 1, 3}});
  g.nodes.push_back({"real", nn::AveragePoolOp{{2, 2, 1, 1, {0, 1, 0, 0}}, false}, {6}, {6, 1, 3}});
  g.nodes.push_back({"concat", nn::ConcatOp{}, {7, 8}, {12, 1, 3}});
  std::vector<std::int32_t> index(30);
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<std::int32_t>(i * 7 % 36) - 1;
  g.nodes.push_back({"gather", nn::GatherOp{index}, {9}, {30, 1, 1}});
  g.nodes.push_back(
      {"fc", nn::FullyConnectedOp{random_floats(240, 5), random_floats(8, 6)}, {10}, {8, 1, 1}});
  nn::validate(g);
  return g;
}

TEST(FloatForward, EveryOperationEqualsTheFloatExecutor) { expect_equal_logits(every_operation(), 3, 1e-5); }

TEST(FloatForward, TrainedNetworksEqualTheFloatExecutor) {
  expect_equal_logits(nn::import_onnx(tests::source_dir() / "models/fashion_mnist.onnx"), 4, 1e-4);
  const std::filesystem::path folder = data_folder() / "models";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "missing file: " << folder.string();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename().string());
    expect_equal_logits(nn::import_onnx(entry.path()), 2, 1e-4);
  }
}

TEST(FloatForward, GradientsAreThoseOfFiniteDifferences) {
  const nn::Graph graph = every_operation();
  const FloatForward forward(graph);
  Parameters parameters(graph, false);
  at::Tensor x = at::empty({2, 4, 6, 5});
  const auto values = random_floats(240, 11);
  std::copy(values.begin(), values.end(), x.data_ptr<float>());
  const at::Tensor weights = at::arange(16, at::kFloat).view({2, 8}) * 0.1;
  const auto loss = [&] { return (forward(parameters, x) * weights).sum(); };
  loss().backward();
  const at::NoGradGuard no_gradients;
  for (at::Tensor leaf : parameters.leaves()) {
    const std::int64_t k = leaf.numel() / 2;
    float& v = leaf.view(-1).data_ptr<float>()[k];
    const float before = v;
    v = before + 1e-2F;
    const auto above = loss().item<double>();
    v = before - 1e-2F;
    const auto below = loss().item<double>();
    v = before;
    const auto gradient = leaf.grad().view(-1)[k].item<double>();
    EXPECT_NEAR(gradient, (above - below) / 2e-2, 0.02 * std::max(1.0, std::abs(gradient)));
  }
}

TEST(FloatForward, BlendingGoesFromTheClipToTheQuadratic) {
  const nn::Graph graph = small_graph(6);
  nn::Graph quadratic = graph;
  quadratic.nodes[2].op = nn::QuadraticOp{0.2F, 0.5F, 0.3F};
  std::vector<std::optional<nn::QuadraticOp>> replaced(graph.nodes.size());
  replaced[2] = nn::QuadraticOp{0.2F, 0.5F, 0.3F};
  const at::NoGradGuard no_gradients;
  const Parameters parameters(graph, false);
  const at::Tensor x = at::rand({2, 2, 6, 6});
  const auto logits = [&](const nn::Graph& g, double share, bool blended) {
    ForwardMode mode;
    if (blended) mode.replaced = replaced;
    mode.clip_share = share;
    return FloatForward(g)(parameters, x, mode);
  };
  EXPECT_LT((logits(graph, 1, true) - logits(graph, 1, false)).abs().max().item<double>(), 1e-6);
  EXPECT_LT((logits(graph, 0, true) - logits(quadratic, 0, false)).abs().max().item<double>(), 1e-6);
  EXPECT_GT((logits(graph, 0.5, true) - logits(quadratic, 0, false)).abs().max().item<double>(), 1e-3);
}

TEST(FloatForward, BatchNormalisationIsFoldedAsItWasTrained) {
  nn::Graph graph = small_graph();
  graph.nodes[2] = {"normalise", nn::AffineOp{{1, 2, 3, 4}, {0.1F, 0.2F, 0.3F, 0.4F}}, {1}, {4, 6, 6}};
  Parameters parameters(graph, true);
  const FloatForward forward(graph);
  const at::NoGradGuard no_gradients;
  const at::Tensor x = at::rand({8, 2, 6, 6});
  for (int i = 0; i < 60; ++i) forward(parameters, x, {.training = true, .replaced = {}});
  const at::Tensor evaluated = forward(parameters, x);
  nn::Graph stored = graph;
  parameters.store(stored);
  const at::Tensor frozen = FloatForward(stored)(Parameters(stored, false), x);
  EXPECT_LT((evaluated - frozen).abs().max().item<double>(), 1e-4);
  // The running statistics have become those of the only batch, but for the correction of its variance.
  const at::Tensor training = forward(parameters, x, {.training = true, .replaced = {}});
  EXPECT_LT((evaluated - training).abs().max().item<double>(), 0.05);
}

}  // namespace
}  // namespace ap::train

#include "nn/onnx/export.h"

#include <algorithm>
#include <limits>
#include <random>

#include "nn/onnx/graph_passes.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

/// The graph after a trip through the file computes the same numbers for random images.
void expect_round_trip(const Graph& graph, double tolerance) {
  const Bytes bytes = export_onnx(graph, "a test");
  EXPECT_EQ(bytes, export_onnx(graph, "a test"));
  const Graph back = import_onnx_bytes(bytes, graph.name);
  EXPECT_EQ(back.input_shape(), graph.input_shape());
  std::mt19937 random(7);
  for (int i = 0; i < 2; ++i) {
    const Tensor image = random_image(graph.input_shape(), random);
    expect_near(output_of(back, image).data, output_of(graph, image).data, tolerance);
  }
}

Graph every_operation() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::mt19937 random(3);
  const auto floats = [&](std::size_t n) { return random_floats(n, random); };
  Graph g;
  g.name = "every";
  const Window three{.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .pad = {1, 0, 2, 1}};
  g.nodes.push_back({"logits", InputOp{}, {}, {4, 6, 5}});  // names of the file's own tensors are no trouble
  g.nodes.push_back({"conv", ConvOp{three, 2, floats(6 * 2 * 6), floats(6)}, {0}, {6, 4, 5}});
  g.nodes.push_back({"relu6", ClipOp{0, 6}, {1}, {6, 4, 5}});
  g.nodes.push_back({"floor", ClipOp{-0.5F, kInfinity}, {1}, {6, 4, 5}});
  g.nodes.push_back({"quadratic", QuadraticOp{0.1992F, 0.5002F, 0.1997F}, {3}, {6, 4, 5}});
  g.nodes.push_back({"add", AddOp{}, {2, 4}, {6, 4, 5}});
  g.nodes.push_back({"max", MaxPoolOp{{3, 3, 2, 2, {1, 1, 0, 1}}}, {5}, {6, 2, 3}});
  g.nodes.push_back({"affine", AffineOp{floats(6), floats(6)}, {6}, {6, 2, 3}});
  g.nodes.push_back({"mean", AveragePoolOp{{2, 2, 1, 1, {0, 1, 0, 0}}, true}, {7}, {6, 1, 3}});
  g.nodes.push_back({"real mean", AveragePoolOp{{2, 2, 1, 1, {0, 1, 0, 0}}, false}, {7}, {6, 1, 3}});
  g.nodes.push_back({"concat", ConcatOp{}, {8, 9}, {12, 1, 3}});
  std::vector<std::int32_t> index(30);
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<std::int32_t>(i * 7 % 36) - 1;
  g.nodes.push_back({"gather", GatherOp{index}, {10}, {30, 1, 1}});
  g.nodes.push_back({"fc", FullyConnectedOp{floats(8 * 30), floats(8)}, {11}, {8, 1, 1}});
  g.nodes.push_back({"relu", ClipOp{0, kInfinity}, {12}, {8, 1, 1}});
  g.nodes.push_back({"square", QuadraticOp{0, 0, 1}, {13}, {8, 1, 1}});
  g.nodes.push_back({"sum", AddOp{}, {12, 14}, {8, 1, 1}});
  g.nodes.push_back({"last", ConvOp{{}, 1, floats(3 * 8), floats(3)}, {15}, {3, 1, 1}});
  validate(g);
  return g;
}

TEST(OnnxExport, EveryOperationComesBack) { expect_round_trip(every_operation(), 1e-5); }

TEST(OnnxExport, QuadraticsComeBackAsQuadratics) {
  const Graph back = import_onnx_bytes(export_onnx(every_operation()), "every");
  const auto found = std::ranges::find_if(back.nodes, [](const Node& n) {
    const auto* q = std::get_if<QuadraticOp>(&n.op);
    return q && q->c0 == 0.1992F && q->c1 == 0.5002F && q->c2 == 0.1997F;
  });
  EXPECT_NE(found, back.nodes.end());
}

TEST(OnnxExport, RefusesWhatIsNoGraph) {
  Graph g = every_operation();
  g.nodes[1].inputs = {9};
  EXPECT_THROW(export_onnx(g), Error);
}

TEST(OnnxExport, TrainedNetworksComeBack) {
  const std::filesystem::path folder = data_folder() / "models";
  AP_SKIP_WITHOUT(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const Graph graph = import_onnx(entry.path());
    expect_round_trip(graph, 1e-6);
    EXPECT_EQ(op_names(import_onnx_bytes(export_onnx(graph), graph.name)), op_names(graph));
  }
}

TEST(OnnxImport, GatherReadsConstantPlaces) {
  OnnxBuilder b({3, 2, 2});
  const std::string out = b.node("Gather", {"input", b.integers({2, -3, 2})}, {{"axis", 1}});
  const Graph graph = import(b, out);
  const Tensor image{{3, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  expect_near(output_of(graph, image).data, {8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11});
  OnnxBuilder outside({3, 2, 2});
  const std::string bad = outside.node("Gather", {"input", outside.integers({3})}, {{"axis", 1}});
  expect_contains(error_of([&] { import(outside, bad); }), {"n1", "reads place 3 of 3"});
}

}  // namespace
}  // namespace ap::nn

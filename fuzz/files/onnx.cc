// An ONNX file: import, then what `inspect` and `compile` do with small graphs.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "nn/execute/float_executor.h"
#include "nn/onnx/export.h"
#include "nn/onnx/import.h"
#include "nn/quantise/quantise.h"
#include "tests/app/small_network.h"

namespace ap::fuzz {
namespace {

/// Multiplications of one image, as far as they decide how long running it takes.
std::uint64_t work_of(const nn::Graph& graph) {
  std::uint64_t work = 0;
  for (const nn::Node& node : graph.nodes) {
    const auto elements = static_cast<std::uint64_t>(node.shape.size());
    work += elements;
    if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) {
      work += conv->weights.size() / static_cast<std::uint64_t>(node.shape.c) * elements;
    } else if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) {
      work += fc->weights.size();
    }
  }
  return work;
}

void run(ByteView input) {
  const nn::Graph graph = nn::import_onnx_bytes(input, "fuzz");
  if (work_of(graph) > 100'000) return;
  nn::Tensor image{graph.input_shape(),
                   std::vector<float>(static_cast<std::size_t>(graph.input_shape().size()))};
  for (std::size_t i = 0; i < image.data.size(); ++i) image.data[i] = static_cast<float>(i % 7) / 7;
  require(nn::run(graph, image).size() == graph.nodes.size(), "one value for each node");
  const Bytes again = nn::export_onnx(graph);
  require(nn::import_onnx_bytes(again, "fuzz").output_shape() == graph.output_shape(),
          "a graph that was imported can be exported and imported");
  nn::quantise(graph, std::span(&image, 1), {});
}

std::string with(nn::OnnxBuilder& b, const char* op, const std::string& input,
                 std::vector<nn::Attribute> attributes = {}) {
  return b.node(op, {input}, std::move(attributes));
}

/// Pooling, padding, joined branches, scaling and a quadratic.
Bytes varied() {
  std::mt19937 random(3);
  nn::OnnxBuilder b({2, 6, 6});
  const std::string weights = b.constant({4, 2, 3, 3}, nn::random_floats(72, random));
  const std::string conv =
      b.node("Conv", {"input", weights},
             {{"pads", nn::Dims{1, 1, 1, 1}}, {"strides", nn::Dims{1, 1}}, {"group", 1}});
  const std::string ones = b.constant({4}, {1, 2, 1, 0.5F}), some = b.constant({4}, {0, 0.1F, 0.2F, 1});
  const std::string norm = b.node("BatchNormalization", {conv, ones, some, some, ones}, {{"epsilon", 1e-5F}});
  const std::string relu = with(b, "Relu", norm);
  const std::string pooled =
      with(b, "MaxPool", relu, {{"kernel_shape", nn::Dims{2, 2}}, {"strides", nn::Dims{2, 2}}});
  const std::string square = b.node("Mul", {pooled, pooled});
  const std::string joined = b.node("Concat", {pooled, b.node("Add", {square, pooled})}, {{"axis", 1}});
  const std::string averaged = with(b, "GlobalAveragePool", joined);
  const std::string flat = with(b, "Flatten", averaged);
  const std::string dense = b.constant({8, 3}, nn::random_floats(24, random));
  return b.bytes(with(b, "Softmax", b.node("MatMul", {flat, dense})));
}

std::vector<Bytes> seeds() { return {app::small_onnx(1), varied()}; }

const Register known({.name = "onnx", .run = run, .seeds = seeds, .max_bytes = 8192, .dictionary = "onnx"});

}  // namespace
}  // namespace ap::fuzz

// Files that must be refused, and what the messages say.
#include "nn/onnx/import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

/// Everything at once, small: convolution, normalisation, polynomial, slices, shapes written out.
Bytes small_model() {
  std::mt19937 random(7);
  OnnxBuilder b({2, 6, 6});
  const auto conv =
      b.node("Conv", {"input", b.constant({4, 2, 3, 3}, random_floats(72, random))},
             {{"pads", Dims{1, 1, 1, 1}}, {"strides", Dims{1, 1}}, {"kernel_shape", Dims{3, 3}}});
  const auto bn =
      b.node("BatchNormalization",
             {conv, b.constant({4}, random_floats(4, random)), b.constant({4}, random_floats(4, random)),
              b.constant({4}, random_floats(4, random)), b.constant({4}, {1, 2, 3, 4})},
             {{"epsilon", 1e-3F}});
  const auto square = b.node("Add", {b.node("Mul", {bn, bn}), b.scalar(0.5F)});
  const auto clip = b.node("Clip", {square, b.scalar(0), b.scalar(6)});
  const auto pool = b.node("MaxPool", {clip}, {{"kernel_shape", Dims{2, 2}}, {"strides", Dims{2, 2}}});
  const auto slice =
      b.node("Slice", {pool, b.integers({1}), b.integers({3}), b.integers({1}), b.integers({1})});
  const auto pad = b.node("Pad", {slice, b.integers({0, 1, 0, 0, 0, 1, 0, 0})});
  const auto sum = b.node("Concat", {b.node("Add", {pad, pool}), pool}, {{"axis", 1}});
  const auto flat = b.node("Reshape", {sum, b.integers({0, -1})});
  const auto turned = b.node(
      "Reshape",
      {b.node("Transpose", {b.node("Reshape", {flat, b.integers({-1, 8, 9})})}, {{"perm", Dims{0, 2, 1}}}),
       b.integers({-1, 72})});
  const auto fc = b.node("Gemm", {turned, b.constant({5, 72}, random_floats(360, random))}, {{"transB", 1}});
  return b.bytes(b.node("Softmax", {fc}));
}

std::string import_error(OnnxBuilder& b, const std::string& output) {
  return error_of([&] { import(b, output); });
}

TEST(OnnxImport, AllUnsupportedNodesAreNamedInOneMessage) {
  OnnxBuilder b({2, 4, 4});
  const auto local = b.node("LRN", {"input"});                               // n0
  const auto lstm = b.node("LSTM", {b.node("Relu", {local})});               // n1 (fine), n2
  const auto product = b.node("Div", {b.node("Relu", {"input"}), "input"});  // n3 (fine), n4
  const auto early = b.node("Softmax", {"input"});                           // n5
  const auto both = b.node("Add", {b.node("Add", {lstm, product}), early});  // fine
  const std::string message = import_error(b, both);
  expect_contains(message, {"n0 (LRN): it divides", "n2 (LSTM): recurrent",
                            "n4 (Div): only division by a constant", "n5 (Softmax)"});
  for (const char* fine : {"n1 (", "n3 (", "Add"})
    EXPECT_EQ(message.find(fine), std::string::npos) << message;
}

TEST(OnnxImport, OldBroadcastingAndSecondOutputsAreRefused) {
  OnnxBuilder old({2, 4, 4});
  const auto sum = old.node("Add", {"input", old.constant({2}, {1, 2})}, {{"broadcast", 1}, {"axis", 1}});
  expect_contains(import_error(old, sum), {"n1 (Add)", "opset"});
  OnnxBuilder second({2, 4, 4});
  second.node("Dropout", {"input"});
  second.graph().mutable_node(0)->add_output("mask");
  expect_contains(import_error(second, second.node("Relu", {"mask"})), {"n1 (Relu)", "second output"});
  OnnxBuilder other({2, 4, 4});
  const auto foreign = other.node("Relu", {"input"});
  other.graph().mutable_node(0)->set_domain("com.example");
  expect_contains(import_error(other, foreign), {"n0 (com.example.Relu)"});
}

TEST(OnnxImport, NodesThatTheOutputDoesNotNeedMayBeAnything) {
  OnnxBuilder b({3});
  b.node("NonsenseOperator", {"input"});
  EXPECT_EQ(import(b, b.node("Relu", {"input"})).nodes.size(), 2U);
}

TEST(OnnxImport, WeightsThatAreNotNumbersNameTheTensor) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    OnnxBuilder b({1, 2, 2});
    const auto out = b.node("Conv", {"input", b.constant({1, 1, 1, 1}, {bad})});
    expect_contains(import_error(b, out), {"tensor c0", "position 0", "finite"});
  }
}

TEST(OnnxImport, ExternalDataIsRefused) {
  OnnxBuilder b({1, 2, 2});
  const auto out = b.node("Conv", {"input", b.constant({1, 1, 1, 1}, {1})});
  auto* t = b.graph().mutable_initializer(0);
  t->clear_raw_data();
  t->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = t->add_external_data();
  entry->set_key("location");
  entry->set_value("../../etc/passwd");
  expect_contains(import_error(b, out), {"tensor c0", "another file"});
}

TEST(OnnxImport, DataOfTheWrongSizeAreRefused) {
  for (const int change : {-1, 1, -4, 4}) {
    OnnxBuilder b({1, 2, 2});
    const auto out = b.node("Conv", {"input", b.constant({1, 1, 1, 1}, {1})});
    b.graph().mutable_initializer(0)->mutable_raw_data()->resize(static_cast<std::size_t>(4 + change));
    expect_contains(import_error(b, out), {"tensor c0", fmt::format("{} bytes", 4 + change), "needs 4"});
  }
}

TEST(OnnxImport, AbsurdDimensionsAreRefusedBeforeAnythingIsAllocated) {
  for (const std::int64_t d : {std::int64_t{-1}, std::int64_t{1} << 40, INT64_MAX, INT64_MIN}) {
    OnnxBuilder b({1, 2, 2});
    const auto out = b.node("Conv", {"input", b.constant({1, 1, 1, 1}, {1})});
    b.graph().mutable_initializer(0)->set_dims(0, d);
    expect_contains(import_error(b, out), {"tensor c0"});
    OnnxBuilder wide({1, 2, d});
    import_error(wide, wide.node("Relu", {"input"}));
    OnnxBuilder pad({1, 2, 2});
    import_error(pad, pad.node("Pad", {"input", pad.integers({0, 0, 0, 0, 0, d, 1, 1})}));
    OnnxBuilder window({1, 2, 2});
    import_error(window, window.node("MaxPool", {"input"}, {{"kernel_shape", Dims{2, d}}}));
    OnnxBuilder reshape({1, 2, 2});
    import_error(reshape, reshape.node("Reshape", {"input", reshape.integers({1, d, d == -1 ? 3 : 2})}));
  }
}

TEST(OnnxImport, ManyLargeTensorsAreRefused) {
  OnnxBuilder b({64, 1024, 1024});
  std::string x = "input";
  for (int i = 0; i < 8; ++i) x = b.node("Relu", {x});
  expect_contains(import_error(b, x), {"too large"});
}

TEST(OnnxImport, CyclesAndMissingTensorsAreRefused) {
  OnnxBuilder cycle({3});
  const auto first = cycle.node("Add", {"input", "n1_out"});
  const auto second = cycle.node("Relu", {first});
  ASSERT_EQ(second, "n1_out");
  expect_contains(import_error(cycle, second), {"depends on itself"});
  OnnxBuilder missing({3});
  expect_contains(import_error(missing, missing.node("Add", {"input", "ghost"})),
                  {"ghost", "nothing defines"});
  OnnxBuilder twice({3});
  twice.node("Relu", {"input"});
  const auto out = twice.node("Relu", {"input"});
  twice.graph().mutable_node(0)->set_output(0, out);
  expect_contains(import_error(twice, out), {"defined twice"});
  OnnxBuilder none({3});
  expect_contains(import_error(none, "input"), {"computes nothing"});
}

TEST(OnnxImport, NodesMayStandInAnyOrder) {
  OnnxBuilder b({3});
  const auto relu = b.node("Relu", {"input"});
  const auto square = b.node("Mul", {relu, relu});
  b.graph().mutable_node()->SwapElements(0, 1);
  EXPECT_EQ(op_names(import(b, square)), (std::vector<std::string>{"input", "clip", "quadratic"}));
}

TEST(OnnxImport, OneInputIsRead) {
  OnnxBuilder inputs({3});
  *inputs.graph().add_input() = inputs.graph().input(0);
  inputs.graph().mutable_input(1)->set_name("second");
  const auto relu = inputs.node("Relu", {"input"});
  EXPECT_EQ(import(inputs, relu).nodes.size(), 2U);
  expect_contains(import_error(inputs, inputs.node("Add", {relu, "second"})),
                  {"more than one input", "second"});
}

TEST(OnnxImport, AFixedBatchIsReadAsOneImage) {
  OnnxBuilder b({2, 3, 4});
  auto* dim =
      b.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0);
  dim->set_dim_value(8);
  // As exporters write x.view(8, -1), x.view(8, 24) and a sum with a constant for every image.
  const auto rows = b.node("Reshape", {"input", b.integers({8, -1})});
  const auto image = b.node("Reshape", {rows, b.integers({8, 2, 12})});
  const auto sum = b.node("Add", {b.node("Reshape", {image, b.integers({16, 12})}),
                                  b.constant({1, 12}, std::vector<float>(12, 1))});
  const auto flat =
      b.node("Reshape",
             {sum, b.node("Concat",
                          {b.node("Slice", {b.node("Shape", {"input"}), b.integers({0}), b.integers({1})}),
                           b.integers({-1})},
                          {{"axis", 0}})});
  std::vector<float> each(8 * 24);
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = static_cast<float>(i % 24);
  const auto out = b.node("Add", {flat, b.constant({8, 24}, each)});
  const Graph graph = import(b, b.node("Relu", {out}));
  EXPECT_EQ(graph.input_shape(), (Shape{2, 3, 4}));
  const Tensor got = output_of(graph, {{2, 3, 4}, std::vector<float>(24, 2)});
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(got.data[i], 3 + static_cast<float>(i));
  ASSERT_EQ(graph.notes.size(), 1U);
  expect_contains(graph.notes[0], {"batch of 8"});
  each[30] = 0;
  const auto differs = b.node("Add", {flat, b.constant({8, 24}, each)});
  expect_contains(import_error(b, differs), {"differs from image to image"});
  expect_contains(import_error(b, b.node("ReduceMean", {"input"}, {{"axes", Dims{0}}})), {"batch dimension"});
}

/// The same builder's file with several outputs.
Bytes with_outputs(OnnxBuilder& b, const std::vector<std::string>& outputs) {
  const Bytes one = b.bytes(outputs[0]);
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromArray(one.data(), static_cast<int>(one.size())));
  for (std::size_t i = 1; i < outputs.size(); ++i) model.mutable_graph()->add_output()->set_name(outputs[i]);
  const std::string file = model.SerializeAsString();
  return {file.begin(), file.end()};
}

TEST(OnnxImport, SeveralOutputsComeOneAfterTheOtherOrAreChosen) {
  OnnxBuilder b({3});
  const auto first = b.node("Gemm", {"input", b.constant({3, 2}, {1, 0, 0, 1, 0, 0})});
  const auto second = b.node("Gemm", {"input", b.constant({3, 1}, {2, 2, 2})});
  const Bytes file = with_outputs(b, {first, second});
  const Graph both = import_onnx_bytes(file, "m");
  EXPECT_EQ(op_names(both), (std::vector<std::string>{"input", "fully_connected"}));
  EXPECT_EQ(output_of(both, {{3, 1, 1}, {1, 2, 3}}).data, (std::vector<float>{1, 2, 12}));
  ASSERT_EQ(both.notes.size(), 1U);
  expect_contains(both.notes[0], {first + " (values 0 to 1)", second + " (values 2 to 2)", "--output"});
  const Graph one = import_onnx_bytes(file, "m", {.output = second, .folder = {}});
  EXPECT_EQ(output_of(one, {{3, 1, 1}, {1, 2, 3}}).data, (std::vector<float>{12}));
  EXPECT_TRUE(one.notes.empty());
  expect_contains(error_of([&] { import_onnx_bytes(file, "m", {.output = "ghost", .folder = {}}); }),
                  {"no output ghost", first, second});
}

TEST(OnnxImport, TheSameLogitsInSeveralFormsAreOneOutput) {
  OnnxBuilder b({3});
  const auto logits = b.node("Gemm", {"input", b.constant({3, 2}, {1, 0, 0, 1, 0, 0})});
  const auto probabilities = b.node("Softmax", {logits});
  const auto label =
      b.node("Cast", {b.node("Squeeze", {b.node("ArgMax", {probabilities}), b.integers({1})})}, {{"to", 6}});
  const Graph graph = import_onnx_bytes(with_outputs(b, {label, probabilities, logits}), "m");
  EXPECT_EQ(output_of(graph, {{3, 1, 1}, {1, 2, 3}}).data, (std::vector<float>{1, 2}));
}

TEST(OnnxImport, AttributesThatAreNotKnownAreRefused) {
  OnnxBuilder b({3});
  const auto out = b.node("Relu", {"input"}, {{"threshold", 1.0F}});
  expect_contains(import_error(b, out), {"n0 (Relu)", "threshold"});
}

TEST(OnnxImport, ShapesThatDoNotFitAreRefused) {
  OnnxBuilder conv({3, 4, 4});
  expect_contains(import_error(conv, conv.node("Conv", {"input", conv.constant({1, 2, 1, 1}, {1, 1})})),
                  {"n1 (Conv)", "3 input channels"});
  OnnxBuilder gemm({3});
  expect_contains(import_error(gemm, gemm.node("Gemm", {"input", gemm.constant({4, 1}, {1, 1, 1, 1})})),
                  {"4x1 matrix", "3 inputs"});
  OnnxBuilder window({1, 2, 2});
  expect_contains(import_error(window, window.node("MaxPool", {"input"}, {{"kernel_shape", Dims{3, 3}}})),
                  {"larger than its padded"});
}

TEST(OnnxImport, RepeatedNamesAreMadeUnique) {
  OnnxBuilder b({3});
  const auto out = b.node("Mul", {b.node("Relu", {"input"}), b.scalar(-1)});
  const auto last = b.node("Relu", {out});
  for (auto& node : *b.graph().mutable_node()) node.set_name("same\n\x1b[31m");
  const Graph graph = import(b, last);
  EXPECT_EQ(graph.nodes[1].name, "same??[31m");
  EXPECT_EQ(graph.nodes[2].name, "same??[31m#2");
}

TEST(OnnxImport, FilesAreNamedInMessages) {
  const auto folder = std::filesystem::path(testing::TempDir());
  expect_contains(error_of([&] { import_onnx(folder / "no_such.onnx"); }), {"no_such.onnx"});
  const auto path = folder / "tiny_net.onnx";
  const Bytes model = small_model();
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(model.data()), std::ssize(model));
  EXPECT_EQ(import_onnx(path).name, "tiny_net");
  std::ofstream(path, std::ios::binary) << "this is text";
  expect_contains(error_of([&] { import_onnx(path); }), {"tiny_net.onnx", "not an ONNX file"});
  const std::pair<const char*, const char*> others[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"},
      {"\n<!DOCTYPE html><html>", "web page"},
      {"PK\x03\x04 archive", "ZIP"},
      {"\x89HDF\r\n", "tf2onnx"},
      {"{\"a\": 1}", "JSON"},
      {"", "empty"}};
  for (const auto& [text, kind] : others) {
    std::ofstream(path, std::ios::binary) << text;
    expect_contains(error_of([&] { import_onnx(path); }), {"tiny_net.onnx", "not an ONNX file", kind});
  }
}

/// Imports; anything but success or Error(input) fails. Small results are run, to see that they are sound.
bool imports(ByteView bytes) {
  try {
    const Graph graph = import_onnx_bytes(bytes, "mutant");
    std::int64_t work = 0;
    for (const Node& node : graph.nodes) work += node.shape.size();
    if (work < 100'000)
      run(graph,
          {graph.input_shape(), std::vector<float>(static_cast<std::size_t>(graph.input_shape().size()))});
    return true;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input) << e.what();
    return false;
  }
}

TEST(OnnxImport, TruncatedFilesAreRefusedOrSound) {
  const Bytes model = small_model();
  ASSERT_TRUE(imports(model));
  for (std::size_t n = 0; n < model.size(); ++n) imports(ByteView(model).first(n));
}

TEST(OnnxImport, DamagedFilesAreRefusedOrSound) {
  const Bytes model = small_model();
  std::mt19937 random(11);
  int good = 0;
  for (int round = 0; round < 6000; ++round) {
    Bytes mutant = model;
    for (unsigned k = random() % 4 + 1; k > 0; --k) {
      std::uint8_t& byte = mutant[random() % mutant.size()];
      byte = random() % 2 == 0 ? static_cast<std::uint8_t>(byte ^ 1U << random() % 8)
                               : static_cast<std::uint8_t>(random());
    }
    good += imports(mutant) ? 1 : 0;
  }
  EXPECT_GT(good, 100);
  EXPECT_LT(good, 5900);
}

}  // namespace
}  // namespace ap::nn

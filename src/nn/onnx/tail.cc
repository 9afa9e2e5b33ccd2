#include "nn/onnx/tail.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "nn/onnx/tensor.h"

namespace ap::nn {
namespace {

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Increasing functions of each value, or of all values of an image together.
constexpr std::array<std::string_view, 15> kOrderPreserving = {
    "Softmax", "LogSoftmax", "Hardmax", "Sigmoid", "Tanh",  "Softplus", "Softsign",       "Exp",
    "Log",     "Erf",        "ArgMax",  "TopK",    "Round", "ZipMap",   "LpNormalization"};
/// Alone at the end they change nothing, so they stay; behind one of the former they go with it.
constexpr std::array<std::string_view, 10> kViews = {
    "Identity",  "Cast",     "Flatten", "Reshape",        "Squeeze",
    "Unsqueeze", "CastLike", "Dropout", "QuantizeLinear", "DequantizeLinear"};

/// A value of the image itself, the same for all classes: as in Div(Exp(x), ReduceSum(Exp(x))) and Sub(x, ReduceMax(x)),
/// which make up a Softmax, and in Div(x, ReduceL2(x)).
bool combines_with_own_figure(const onnx::NodeProto& node, const Producer& producer) {
  if (node.input_size() != 2) return false;
  const onnx::NodeProto* figure = producer(node.input(1));
  if (!figure || figure->input_size() < 1 || figure->input(0) != node.input(0)) return false;
  const std::string& op = figure->op_type();
  if (node.op_type() == "Sub") return op == "ReduceMax" || op == "ReduceMean" || op == "ReduceLogSumExp";
  if (node.op_type() != "Div") return false;
  // A sum of exponentials is positive, other sums may not be.
  const onnx::NodeProto* numerator = producer(node.input(0));
  return op == "ReduceL2" || (op == "ReduceSum" && numerator && numerator->op_type() == "Exp");
}

/// A comparison with a constant, as of probabilities with one half.
bool compares_with_constant(const onnx::NodeProto& node, const Producer& producer) {
  const bool is_comparison = node.op_type() == "Greater" || node.op_type() == "GreaterOrEqual";
  if (!is_comparison || node.input_size() != 2 || !producer(node.input(0))) return false;
  const onnx::NodeProto* limit = producer(node.input(1));
  return !limit || limit->op_type() == "Constant";
}

}  // namespace

std::string skip_tail(const std::string& output, const Producer& producer, std::vector<std::string>& notes) {
  constexpr int kLongestTail = 64;
  std::vector<std::string> passed, left_out;
  std::string source = output, at = output;
  for (int i = 0; i < kLongestTail; ++i) {
    const onnx::NodeProto* node = producer(at);
    if (!node || node->input_size() < 1) break;
    const std::string& op = node->op_type();
    // The classes' names, picked by the best class.
    const bool picks_name = op == "ArrayFeatureExtractor" && node->input_size() == 2;
    const bool keeps_order = contains(kOrderPreserving, op) || picks_name ||
                             combines_with_own_figure(*node, producer) ||
                             compares_with_constant(*node, producer);
    if (!keeps_order && !contains(kViews, op)) break;
    const std::string& before = node->input(picks_name ? 1 : 0);
    // A network that consists of such operators alone is asked for what they compute.
    if (!producer(before)) break;
    passed.push_back(printable_name(fmt::format("{} ({})", node->name().empty() ? at : node->name(), op)));
    at = before;
    if (!keeps_order) continue;
    source = at;
    left_out = passed;
  }
  for (const std::string& node : left_out) {
    std::string note = fmt::format("the last node {} was left out: the output is the logits", node);
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
  }
  return source;
}

}  // namespace ap::nn

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
constexpr std::array<std::string_view, 12> kOrderPreserving = {"Softmax", "LogSoftmax", "Hardmax",  "Sigmoid",
                                                               "Tanh",    "Softplus",   "Softsign", "Exp",
                                                               "Erf",     "ArgMax",     "TopK",     "ZipMap"};
/// Alone at the end they change nothing, so they stay; behind one of the former they go with it.
constexpr std::array<std::string_view, 10> kViews = {
    "Identity",  "Cast",     "Flatten", "Reshape",        "Squeeze",
    "Unsqueeze", "CastLike", "Dropout", "QuantizeLinear", "DequantizeLinear"};

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
    const bool keeps_order = contains(kOrderPreserving, op) || picks_name;
    if (!keeps_order && !contains(kViews, op)) break;
    passed.push_back(printable_name(fmt::format("{} ({})", node->name().empty() ? at : node->name(), op)));
    at = node->input(picks_name ? 1 : 0);
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

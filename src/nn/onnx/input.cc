// The input of a network: how one image lies in the file's tensor, and in the graph as channels, height, width.
#include <algorithm>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

std::vector<const OnnxNode*> readers(const OnnxModel& model, const std::string& tensor) {
  std::vector<const OnnxNode*> out;
  for (const OnnxNode& node : model.nodes) {
    const auto& inputs = node.proto().input();
    if (node.op() != "Shape" && std::find(inputs.begin(), inputs.end(), tensor) != inputs.end())
      out.push_back(&node);
  }
  return out;
}

/// The first nodes that do more to the image than to change every value in the same way.
std::vector<const OnnxNode*> first_layers(const OnnxModel& model) {
  static const std::unordered_set<std::string> kPassed = {
      "Cast", "Identity", "Mul", "Sub", "Add", "Div", "Relu", "Clip", "QuantizeLinear", "DequantizeLinear"};
  std::string tensor = model.input;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    std::vector<const OnnxNode*> found = readers(model, tensor);
    if (found.size() != 1 || !kPassed.contains(found[0]->op()) || found[0]->output_count() < 1) return found;
    tensor = found[0]->output();
  }
  return {};
}

/// Whether three dimensions are height, width, channels: what follows turns them, or flattens an image of few channels.
bool has_channels_last(const OnnxModel& model, const Dims& image) {
  const std::vector<const OnnxNode*> layers = first_layers(model);
  if (layers.empty()) return false;
  const bool turned = std::all_of(layers.begin(), layers.end(), [](const OnnxNode* node) {
    return node->op() == "Transpose" && node->integers("perm") == Dims{0, 3, 1, 2};
  });
  if (turned) return true;
  static const std::unordered_set<std::string> kFlat = {"Flatten", "Reshape", "MatMul", "Gemm"};
  const bool flat = std::all_of(layers.begin(), layers.end(),
                                [](const OnnxNode* node) { return kFlat.contains(node->op()); });
  const auto few = [](std::int64_t d) { return d == 1 || d == 3 || d == 4; };
  return flat && few(image[2]) && !few(image[0]) && image[1] > 4;
}

}  // namespace

void OnnxLowering::define_input() {
  const Dims& dims = model_.input_dims;
  const Dims image(dims.begin() + (model_.has_batch ? 1 : 0), dims.end());
  const auto at = [&](std::size_t i) { return static_cast<int>(image[i]); };
  Shape shape = shape_of(dims);
  InputForm form{std::vector<int>(image.begin(), image.end()), false};
  Movement turn{dims, std::nullopt};
  if (image.size() == 3 && has_channels_last(model_, image)) {
    form.channels_last = true;
    shape = {at(2), at(0), at(1)};
    turn = permute({1, image[2], image[0], image[1]}, {0, 2, 3, 1});
  } else if (image.size() == 3 || image.size() < 2) {
    form = {};
  } else if (image.size() == 2) {
    // A signal of several channels, or an image of one.
    const std::vector<const OnnxNode*> layers = first_layers(model_);
    static const std::unordered_set<std::string> kSpatial = {
        "Conv", "ConvTranspose", "MaxPool", "AveragePool", "QLinearConv", "BatchNormalization"};
    const bool is_signal = std::any_of(layers.begin(), layers.end(),
                                       [&](const OnnxNode* node) { return kSpatial.contains(node->op()); });
    shape = is_signal ? Shape{at(0), 1, at(1)} : Shape{1, at(0), at(1)};
  }
  names_.insert("input");
  graph_.nodes.push_back({"input", InputOp{}, {}, shape});
  graph_.input_form = std::move(form);
  Value value{.node = 0, .dims = dims, .origin = "input"};
  value.is_integer = is_integer_type(model_.input_type);
  values_[model_.input] = moved(value, std::move(turn), "input");
  if (model_.batch > 1) {
    note(fmt::format("the file's batch of {} images is read as one image", model_.batch));
  }
}

}  // namespace ap::nn

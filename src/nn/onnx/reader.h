// Reading an ONNX file into checked, easily used parts: the nodes that the output depends on in an order in
// which they can be computed, their attributes, and constant tensors with verified sizes. Nothing here knows
// what an operator means.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "nn/onnx/proto.h"

namespace ap::nn {

/// A constant tensor: floats (float, double) or integers (int32, int64, bool). Scalars have no dimensions.
struct Constant {
  std::string name;
  std::vector<std::int64_t> dims;
  bool is_integer = false;
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  std::int64_t size() const {
    return static_cast<std::int64_t>(is_integer ? integers.size() : floats.size());
  }
};

/// Copies a tensor out of the file.
/// @throws Error(input) naming the tensor: external data, unsupported type, wrong number of bytes, more than
/// kMaxTensorElements elements, NaN or infinity.
Constant read_tensor(const onnx::TensorProto& tensor, const std::string& name);

/// One node of the file with typed access to its attributes. A missing attribute gives the fallback; one of
/// the wrong type is an Error(input).
class OnnxNode {
 public:
  OnnxNode(const onnx::NodeProto& proto, int number);
  const onnx::NodeProto& proto() const { return *proto_; }
  /// The name in the file, or "Conv_12" made from the operator and its position.
  const std::string& name() const { return name_; }
  /// The operator, with its domain in front if that is not the standard one.
  const std::string& op() const { return op_; }
  std::size_t input_count() const { return static_cast<std::size_t>(proto_->input_size()); }
  /// The name of input i, empty if it was left out.
  const std::string& input(std::size_t i) const;
  const std::string& output(std::size_t i = 0) const { return proto_->output(static_cast<int>(i)); }

  bool has(const char* attribute) const { return find(attribute) != nullptr; }
  std::int64_t integer(const char* attribute, std::int64_t fallback) const;
  double number(const char* attribute, double fallback) const;
  std::string text(const char* attribute, const std::string& fallback) const;
  std::optional<std::vector<std::int64_t>> integers(const char* attribute) const;
  const onnx::AttributeProto* find(const char* attribute) const;

 private:
  const onnx::AttributeProto* find(const char* attribute, onnx::AttributeProto::AttributeType type) const;
  const onnx::NodeProto* proto_;
  std::string name_;
  std::string op_;
};

/// A parsed file. `nodes` holds only what the output depends on, each after all of its inputs.
struct OnnxModel {
  std::unique_ptr<onnx::ModelProto> proto;
  std::string name;  ///< for messages
  std::string input;
  std::vector<std::int64_t> input_dims;  ///< of one image, without the batch dimension
  std::string output;
  std::unordered_map<std::string, const onnx::TensorProto*> initializers;
  std::vector<OnnxNode> nodes;
};

/// @throws Error(input): not an ONNX file, not exactly one input and output, free or absurd input dimensions,
/// a batch dimension other than 1 or free, missing inputs, names defined twice, cycles, too many nodes.
OnnxModel read_model(ByteView bytes, const std::string& name);

}  // namespace ap::nn

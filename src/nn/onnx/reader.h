// Reading an ONNX file into checked, easily used parts: the nodes that the outputs depend on in an order in which they
// can be computed, and their attributes. Nothing here knows what an operator means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "nn/onnx/proto.h"
#include "nn/onnx/tensor.h"

namespace ap::nn {

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
  std::size_t output_count() const { return static_cast<std::size_t>(proto_->output_size()); }
  const std::string& output(std::size_t i = 0) const { return proto_->output(static_cast<int>(i)); }

  bool has(const char* attribute) const { return find(attribute) != nullptr; }
  std::int64_t integer(const char* attribute, std::int64_t fallback) const;
  double number(const char* attribute, double fallback) const;
  std::string text(const char* attribute, const std::string& fallback) const;
  std::optional<std::vector<std::int64_t>> integers(const char* attribute) const;
  std::optional<std::vector<double>> numbers(const char* attribute) const;
  const onnx::AttributeProto* find(const char* attribute) const;

 private:
  const onnx::AttributeProto* find(const char* attribute, onnx::AttributeProto::AttributeType type) const;
  const onnx::NodeProto* proto_;
  std::string name_;
  std::string op_;
};

/// An output of the file, and the tensor that is taken for it: the logits, if operators that keep their order follow.
struct OnnxOutput {
  std::string name;
  std::string source;
};

/// A parsed file. `nodes` holds only what the outputs depend on, each after all of its inputs.
struct OnnxModel {
  std::unique_ptr<onnx::ModelProto> proto;
  std::string name;              ///< for messages
  std::filesystem::path folder;  ///< of the file, for data beside it; empty if there is none
  std::string input;
  int input_type = onnx::TensorProto::FLOAT;
  std::vector<std::int64_t> input_dims;  ///< of one image: the first is 1 if the file has a batch dimension
  bool has_batch = true;                 ///< whether the first of input_dims is the batch
  std::int64_t batch = 1;           ///< the file's own batch, if it is fixed; all is read as if it were 1
  int opset = 0;                    ///< of the standard operators; 0 if the file does not say
  std::vector<OnnxOutput> outputs;  ///< at least one, of different sources
  std::vector<std::string> notes;   ///< what was left out on the way to the outputs
  std::unordered_map<std::string, const onnx::TensorProto*> initializers;
  std::vector<OnnxNode> nodes;
};

/// `output` chooses one output by its name; empty takes all.
/// @throws Error(input): not an ONNX file (saying what it is, as far as that can be told), not exactly one input that is
/// read, no such output, free or absurd input dimensions, missing inputs, names defined twice, cycles, too many nodes.
OnnxModel read_model(ByteView bytes, const std::string& name, const std::filesystem::path& folder = {},
                     const std::string& output = {});

}  // namespace ap::nn

#include "onnx_writer.h"

#include <onnx/onnx_pb.h>

#include <initializer_list>

#include "base/files.h"

namespace ap::train {
namespace {

void add_weights(onnx::GraphProto& graph, const std::string& name, const torch::Tensor& values) {
  const torch::Tensor flat = values.detach().contiguous().to(torch::kFloat32);
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto length : flat.sizes()) tensor.add_dims(length);
  // raw_data is little endian by definition, as this machine is.
  tensor.set_raw_data(flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel()) * sizeof(float));
}

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& name, const std::string& op,
                          std::initializer_list<std::string> inputs, const std::string& output) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_name(name);
  node.set_op_type(op);
  for (const auto& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

void set_ints(onnx::NodeProto& node, const std::string& name, std::initializer_list<std::int64_t> values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const auto value : values) attribute.add_ints(value);
}

void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void describe(onnx::ValueInfoProto& value, const std::string& name,
              std::initializer_list<std::int64_t> shape) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param("N");
  for (const auto length : shape) tensor.mutable_shape()->add_dim()->set_dim_value(length);
}

}  // namespace

void write_onnx(const std::filesystem::path& path, const std::array<FoldedConvolution, 3>& convolutions,
                const torch::Tensor& classifier_weights, const torch::Tensor& classifier_bias,
                const std::string& description) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.set_producer_name("autoprivacy train_fashion_mnist");
  model.set_doc_string(description);
  auto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(13);

  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("fashion_mnist");
  describe(*graph.add_input(), "image", {1, 28, 28});
  std::string value = "image";
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    const FoldedConvolution& c = convolutions[i];
    const std::string name = "conv" + std::to_string(i + 1);
    add_weights(graph, name + ".weight", c.weights);
    add_weights(graph, name + ".bias", c.bias);
    auto& node = add_node(graph, name, "Conv", {value, name + ".weight", name + ".bias"}, name + ".out");
    set_ints(node, "kernel_shape", {c.weights.size(2), c.weights.size(3)});
    set_ints(node, "strides", {c.stride, c.stride});
    set_ints(node, "pads", {c.padding, c.padding, c.padding, c.padding});
    value = "relu" + std::to_string(i + 1) + ".out";
    add_node(graph, "relu" + std::to_string(i + 1), "Relu", {name + ".out"}, value);
  }
  set_int(add_node(graph, "flatten", "Flatten", {value}, "flatten.out"), "axis", 1);
  add_weights(graph, "fc.weight", classifier_weights);
  add_weights(graph, "fc.bias", classifier_bias);
  set_int(add_node(graph, "fc", "Gemm", {"flatten.out", "fc.weight", "fc.bias"}, "logits"), "transB", 1);
  describe(*graph.add_output(), "logits", {kClasses});

  const std::string bytes = model.SerializeAsString();
  write_file(path, ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

}  // namespace ap::train

// Builds small ONNX files in memory for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "nn/ir/graph.h"
#include "nn/onnx/proto.h"

namespace ap::nn {

using Dims = std::vector<std::int64_t>;

/// Reproducible values in [low, high).
inline std::vector<float> random_floats(std::size_t count, std::mt19937& random, float low = -1,
                                        float high = 1) {
  std::vector<float> out(count);
  for (float& v : out) v = low + (high - low) * static_cast<float>(random() >> 8) / 16777216.0F;
  return out;
}

inline std::size_t product(const Dims& dims) {
  std::size_t n = 1;
  for (const auto d : dims) n *= static_cast<std::size_t>(d);
  return n;
}

/// One attribute of a node: an integer, a float, a string or a list of integers.
class Attribute {
 public:
  Attribute(const char* name, int value) : Attribute(name, std::int64_t{value}) {}
  Attribute(const char* name, std::int64_t value) : Attribute(name, onnx::AttributeProto::INT) {
    proto_.set_i(value);
  }
  Attribute(const char* name, float value) : Attribute(name, onnx::AttributeProto::FLOAT) {
    proto_.set_f(value);
  }
  Attribute(const char* name, const char* value) : Attribute(name, onnx::AttributeProto::STRING) {
    proto_.set_s(value);
  }
  Attribute(const char* name, const Dims& values) : Attribute(name, onnx::AttributeProto::INTS) {
    for (const auto v : values) proto_.add_ints(v);
  }
  Attribute(const char* name, const onnx::TensorProto& value)
      : Attribute(name, onnx::AttributeProto::TENSOR) {
    *proto_.mutable_t() = value;
  }
  const onnx::AttributeProto& proto() const { return proto_; }

 private:
  Attribute(const char* name, onnx::AttributeProto::AttributeType type) {
    proto_.set_name(name);
    proto_.set_type(type);
  }
  onnx::AttributeProto proto_;
};

inline onnx::TensorProto float_tensor(const std::string& name, const Dims& dims,
                                      const std::vector<float>& values) {
  onnx::TensorProto t;
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto d : dims) t.add_dims(d);
  std::string raw(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  t.set_raw_data(raw);
  return t;
}

inline onnx::TensorProto integer_tensor(const std::string& name, const Dims& dims, const Dims& values) {
  onnx::TensorProto t;
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::INT64);
  for (const auto d : dims) t.add_dims(d);
  for (const auto v : values) t.add_int64_data(v);
  return t;
}

/// Nodes are named "n0", "n1", ...; the output of a node is returned by node().
class OnnxBuilder {
 public:
  /// `image` is the shape of one image; the batch dimension is free.
  explicit OnnxBuilder(const Dims& image) {
    model_.set_ir_version(8);
    auto* opset = model_.add_opset_import();
    opset->set_domain("");
    opset->set_version(13);
    auto* info = graph().add_input();
    info->set_name("input");
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_param("N");
    for (const auto d : image) type->mutable_shape()->add_dim()->set_dim_value(d);
  }

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  std::string constant(const Dims& dims, const std::vector<float>& values) {
    *graph().add_initializer() = float_tensor(next("c"), dims, values);
    return last_;
  }
  std::string integers(const Dims& values) {
    *graph().add_initializer() =
        integer_tensor(next("c"), {static_cast<std::int64_t>(values.size())}, values);
    return last_;
  }
  std::string scalar(float value) { return constant({}, {value}); }

  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}) {
    auto* n = graph().add_node();
    n->set_op_type(op);
    n->set_name(next("n"));
    for (const auto& i : inputs) n->add_input(i);
    for (const auto& a : attributes) *n->add_attribute() = a.proto();
    n->add_output(last_ + "_out");
    return last_ + "_out";
  }

  /// The file, with `output` as its only output.
  Bytes bytes(const std::string& output) {
    graph().clear_output();
    graph().add_output()->set_name(output);
    const std::string s = model_.SerializeAsString();
    return {s.begin(), s.end()};
  }

 private:
  std::string next(const char* prefix) { return last_ = fmt::format("{}{}", prefix, counter_++); }
  onnx::ModelProto model_;
  int counter_ = 0;
  std::string last_;
};

}  // namespace ap::nn

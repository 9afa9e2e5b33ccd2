#include "nn/onnx/export.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "nn/onnx/proto.h"

namespace ap::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data of ONNX is little endian");
constexpr std::size_t kMaxFileBytes = (std::size_t{1} << 31) - 1;  // of a protobuf message

using Dims = std::vector<std::int64_t>;

class Exporter {
 public:
  explicit Exporter(const Graph& graph)
      : graph_(graph), image_(graph.nodes.size()), vector_(graph.nodes.size()) {
    for (const Node& node : graph.nodes) names_.insert(node.name);
  }

  Bytes run(const std::string& description) {
    model_.set_ir_version(7);
    model_.set_producer_name("autoprivacy");
    model_.set_doc_string(description);
    onnx::OperatorSetIdProto& opset = *model_.add_opset_import();
    opset.set_domain("");
    opset.set_version(13);
    proto().set_name(graph_.name);
    const Shape& in = graph_.input_shape();
    describe(*proto().add_input(), "image", {in.c, in.h, in.w});
    image_[0] = "image";
    for (number_ = 1; number_ < graph_.nodes.size(); ++number_) {
      std::visit([this](const auto& op) { emit(op); }, node().op);
    }
    add_output();
    if (model_.ByteSizeLong() > kMaxFileBytes) {
      fail_input("network '{}' needs {} bytes as ONNX, more than the 2 GiB of one file", graph_.name,
                 model_.ByteSizeLong());
    }
    const std::string bytes = model_.SerializeAsString();
    return {bytes.begin(), bytes.end()};
  }

 private:
  onnx::GraphProto& proto() { return *model_.mutable_graph(); }
  const Node& node() const { return graph_.nodes[number_]; }
  const Shape& shape() const { return node().shape; }
  std::size_t input(std::size_t i = 0) const { return static_cast<std::size_t>(node().inputs[i]); }

  // Names, constants and nodes of the file.

  std::string unique(std::string name) {
    while (!names_.insert(name).second) name += '\'';
    return name;
  }

  onnx::TensorProto& initializer(const std::string& name, const Dims& dims) {
    onnx::TensorProto& tensor = *proto().add_initializer();
    tensor.set_name(unique(name));
    for (const std::int64_t d : dims) tensor.add_dims(d);
    return tensor;
  }
  std::string constant(const std::string& suffix, const Dims& dims, const std::vector<float>& values) {
    onnx::TensorProto& tensor = initializer(node().name + suffix, dims);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    return tensor.name();
  }
  std::string integers(const std::string& suffix, const Dims& values) {
    onnx::TensorProto& tensor = initializer(node().name + suffix, {static_cast<std::int64_t>(values.size())});
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
    return tensor.name();
  }

  /// The node of the file that stands for the current node of the graph (its name) or helps it (a suffix).
  onnx::NodeProto& add(const std::string& op, const std::vector<std::string>& inputs,
                       const std::string& suffix = {}) {
    onnx::NodeProto& out = *proto().add_node();
    out.set_name(suffix.empty() ? node().name : unique(node().name + suffix));
    out.set_op_type(op);
    for (const std::string& i : inputs) out.add_input(i);
    out.add_output(unique(out.name() + ".out"));
    return out;
  }
  static void set(onnx::NodeProto& to, const char* name, std::int64_t value) {
    onnx::AttributeProto& attribute = *to.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void set(onnx::NodeProto& to, const char* name, const Dims& values) {
    onnx::AttributeProto& attribute = *to.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t v : values) attribute.add_ints(v);
  }
  static void set(onnx::NodeProto& to, const Window& w) {
    set(to, "kernel_shape", Dims{w.kernel_h, w.kernel_w});
    set(to, "strides", Dims{w.stride_h, w.stride_w});
    set(to, "pads", Dims{w.pad.top, w.pad.left, w.pad.bottom, w.pad.right});
  }
  static void describe(onnx::ValueInfoProto& value, const std::string& name, const Dims& image) {
    value.set_name(name);
    onnx::TypeProto_Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    tensor.mutable_shape()->add_dim()->set_dim_param("N");
    for (const std::int64_t d : image) tensor.mutable_shape()->add_dim()->set_dim_value(d);
  }

  // The tensor of a node of the graph, [N, c, h, w] or [N, c h w]; views are made when first asked for.

  const std::string& as_image(std::size_t i) {
    if (image_[i].empty()) {
      const Shape& s = graph_.nodes[i].shape;
      image_[i] = add("Reshape", {vector_[i], integers(".shape", {-1, s.c, s.h, s.w})}, "/reshape").output(0);
    }
    return image_[i];
  }
  const std::string& as_vector(std::size_t i) {
    if (vector_[i].empty()) vector_[i] = add("Flatten", {image_[i]}, "/flatten").output(0);
    return vector_[i];
  }
  /// As it is at hand; `like_vector` tells which of the two that is.
  const std::string& any(std::size_t i, bool& like_vector) {
    like_vector = image_[i].empty();
    return like_vector ? vector_[i] : image_[i];
  }
  void define(const onnx::NodeProto& by, bool is_vector) {
    (is_vector ? vector_ : image_)[number_] = by.output(0);
  }

  void emit(const InputOp&) { AP_ASSERT(false); }

  void emit(const ConvOp& op) {
    const std::string& x = as_image(input());
    const std::int64_t c_in = graph_.nodes[input()].shape.c;
    const Dims dims = {shape().c, c_in / op.groups, op.window.kernel_h, op.window.kernel_w};
    const std::string weights = constant(".weight", dims, op.weights),
                      bias = constant(".bias", {shape().c}, op.bias);
    onnx::NodeProto& conv = add("Conv", {x, weights, bias});
    set(conv, op.window);
    set(conv, "group", op.groups);
    define(conv, false);
  }

  void emit(const FullyConnectedOp& op) {
    const std::string& x = as_vector(input());
    const std::int64_t in = graph_.nodes[input()].shape.size();
    const std::string weights = constant(".weight", {shape().c, in}, op.weights),
                      bias = constant(".bias", {shape().c}, op.bias);
    onnx::NodeProto& gemm = add("Gemm", {x, weights, bias});
    set(gemm, "transB", 1);
    define(gemm, true);
  }

  void emit(const ClipOp& op) {
    bool is_vector = false;
    const std::string& x = any(input(), is_vector);
    if (op.low == 0 && std::isinf(op.high)) return define(add("Relu", {x}), is_vector);
    const std::string low = std::isinf(op.low) ? std::string() : constant(".low", {}, {op.low});
    const std::string high = std::isinf(op.high) ? std::string() : constant(".high", {}, {op.high});
    define(add("Clip", {x, low, high}), is_vector);
  }

  void emit(const QuadraticOp& op) {
    bool is_vector = false;
    const std::string& x = any(input(), is_vector);
    const std::string square = add("Mul", {x, x}, "/square").output(0);
    const std::string second = add("Mul", {square, constant(".c2", {}, {op.c2})}, "/second").output(0);
    const std::string first = add("Mul", {x, constant(".c1", {}, {op.c1})}, "/first").output(0);
    const std::string sum = add("Add", {second, first}, "/sum").output(0);
    define(add("Add", {sum, constant(".c0", {}, {op.c0})}), is_vector);
  }

  void emit(const SmoothOp& op) { refuse(name_of(op.kind)); }
  void emit(const ProductOp&) { refuse("a product of computed tensors"); }
  [[noreturn]] void refuse(const char* what) const {
    fail_input("network {}: {} cannot be written to an ONNX file here; keep the file that it came from",
               graph_.name, what);
  }

  void emit(const AddOp&) {
    bool is_vector = false;
    const std::string first = any(input(0), is_vector);
    define(add("Add", {first, is_vector ? as_vector(input(1)) : as_image(input(1))}), is_vector);
  }

  void emit(const AffineOp& op) {
    const std::string& x = as_image(input());
    const Dims dims = {shape().c, 1, 1};
    const std::string scaled = add("Mul", {x, constant(".scale", dims, op.scale)}, "/scale").output(0);
    define(add("Add", {scaled, constant(".shift", dims, op.shift)}), false);
  }

  void emit(const MaxPoolOp& op) {
    onnx::NodeProto& pool = add("MaxPool", {as_image(input())});
    set(pool, op.window);
    define(pool, false);
  }
  void emit(const AveragePoolOp& op) {
    onnx::NodeProto& pool = add("AveragePool", {as_image(input())}, op.factor == 1 ? "" : "/mean");
    set(pool, op.window);
    set(pool, "count_include_pad", op.count_include_pad ? 1 : 0);
    if (op.factor == 1) return define(pool, false);
    const std::string mean = pool.output(0);
    define(add("Mul", {mean, constant(".factor", {}, {op.factor})}), false);
  }

  void emit(const ConcatOp&) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(as_image(input(i)));
    onnx::NodeProto& concat = add("Concat", inputs);
    set(concat, "axis", 1);
    define(concat, false);
  }

  /// A zero is put behind the flat tensor for those that read nothing.
  void emit(const GatherOp& op) {
    std::string x = as_vector(input());
    const std::int64_t in = graph_.nodes[input()].shape.size();
    Dims index(op.index.begin(), op.index.end());
    if (std::ranges::find(index, -1) != index.end()) {
      x = add("Pad", {x, integers(".pads", {0, 0, 0, 1})}, "/pad").output(0);
      std::ranges::replace(index, -1, in);
    }
    onnx::NodeProto& gather = add("Gather", {x, integers(".index", index)});
    set(gather, "axis", 1);
    define(gather, true);
  }

  void add_output() {
    const std::size_t last = graph_.nodes.size() - 1;
    const Shape& s = graph_.nodes[last].shape;
    number_ = last;
    const bool is_vector = s.h == 1 && s.w == 1;
    const std::string from = is_vector ? as_vector(last) : as_image(last);
    for (onnx::NodeProto& made : *proto().mutable_node()) {
      if (made.output(0) == from) made.set_output(0, "logits");
    }
    describe(*proto().add_output(), "logits", is_vector ? Dims{s.c} : Dims{s.c, s.h, s.w});
  }

  const Graph& graph_;
  onnx::ModelProto model_;
  std::size_t number_ = 0;
  std::vector<std::string> image_, vector_;  ///< by node: the tensors that exist so far
  std::set<std::string> names_ = {"image", "logits"};
};

}  // namespace

Bytes export_onnx(const Graph& graph, const std::string& description) {
  validate(graph);
  return Exporter(graph).run(description);
}

}  // namespace ap::nn

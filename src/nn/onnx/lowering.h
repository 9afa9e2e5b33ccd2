// From the operators of an ONNX file to the few operations of Graph. Every tensor of the file is, while
// lowering, either a constant or a Value: a polynomial of degree at most two of one graph node, seen with
// some shape. So Flatten and Reshape cost nothing, and an activation written as several Mul and Add nodes
// becomes one QuadraticOp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nn/ir/graph.h"
#include "nn/onnx/reader.h"

namespace ap::nn {

/// c0 + c1 x + c2 x^2 of the output x of a graph node, read as a row-major tensor of shape `dims` (no batch).
struct Value {
  int node = 0;
  std::vector<std::int64_t> dims;
  double c0 = 0, c1 = 1, c2 = 0;
  std::string origin;  ///< the file's node that made it; names the graph node if one has to be made
  bool is_plain() const { return c0 == 0 && c1 == 1 && c2 == 0; }
  int degree() const { return c2 != 0 ? 2 : c1 != 0 ? 1 : 0; }
};

/// Thrown while one node is lowered; all of them together become one Error.
struct Unsupported {
  std::string hint;
};

/// Elements of `dims`, or Error(input) beyond kMaxTensorElements. `where` names the node.
std::int64_t checked_size(const std::vector<std::int64_t>& dims, const std::string& where);

/// The Graph shape of per-image dimensions: {n}, {c,h} -> {c,h,1}, {c,h,w}; more are merged into h.
Shape shape_of(const std::vector<std::int64_t>& dims);

class OnnxLowering {
 public:
  explicit OnnxLowering(const OnnxModel& model) : model_(model) {}
  struct Result {
    Graph graph;  ///< not yet simplified: dead nodes may be left, the output need not be last
    int output = 0;
  };
  /// @throws Error(input); all unsupported nodes are named in one message.
  Result run();

 private:
  using Method = void (OnnxLowering::*)(const OnnxNode&);
  static const std::unordered_map<std::string, Method>& methods();
  void lower(const OnnxNode& node);
  [[noreturn]] void bad(const OnnxNode& node, const std::string& what) const;

  // Tensors of the file.
  bool is_constant(const std::string& name) const;
  const Constant& constant(const std::string& name);
  /// Input i as a constant, or Unsupported("... must be a constant").
  const Constant& constant_input(const OnnxNode& node, std::size_t i, const char* what);
  /// A list of integers that is an attribute in old files and input i in new ones; nothing if neither is
  /// there.
  std::optional<std::vector<std::int64_t>> integer_list(const OnnxNode& node, const char* attribute,
                                                        std::size_t i);
  /// Input i as a computed tensor, or Unsupported.
  const Value& tensor(const OnnxNode& node, std::size_t i) const;
  void define(const OnnxNode& node, Value value);

  // Nodes of the graph.
  int add_node(const std::string& name, Op op, std::vector<int> inputs, Shape shape);
  /// A node that computes the value, whatever its shape.
  int materialise(const Value& value);
  /// A node that computes the value and has shape_of(value.dims).
  int shaped(const Value& value);
  Value plain(const OnnxNode& node, int graph_node, std::vector<std::int64_t> dims) const;

  // Linear layers (onnx_linear.cc).
  void conv(const OnnxNode& node);
  void gemm(const OnnxNode& node);
  void matmul(const OnnxNode& node);
  void batch_normalization(const OnnxNode& node);
  void fully_connected(const OnnxNode& node, const Constant& matrix, bool transposed, double alpha,
                       std::vector<float> bias);
  // Windows, shared by convolution and pooling (onnx_pooling.cc).
  Window window(const OnnxNode& node, std::int64_t kernel_h, std::int64_t kernel_w,
                const std::vector<std::int64_t>& dims, bool ceil_mode);
  std::vector<std::int64_t> spatial_dims(const OnnxNode& node, const Value& value) const;
  void max_pool(const OnnxNode& node);
  void average_pool(const OnnxNode& node);
  void global_average_pool(const OnnxNode& node);
  void reduce_mean(const OnnxNode& node);
  // Element by element (onnx_elementwise.cc).
  void relu(const OnnxNode& node);
  void clip(const OnnxNode& node);
  void add(const OnnxNode& node);
  void sub(const OnnxNode& node);
  void mul(const OnnxNode& node);
  void div(const OnnxNode& node);
  void neg(const OnnxNode& node);
  void pow(const OnnxNode& node);
  void softmax(const OnnxNode& node);
  void add_tensors(const OnnxNode& node, const Value& a, const Value& b, double sign);
  /// One factor or summand per channel (or just one) that constant c applies to the value.
  std::vector<double> channel_values(const Value& value, const Constant& c) const;
  /// value * scale + shift with one or `channels` entries each.
  void affine(const OnnxNode& node, const Value& value, const std::vector<double>& scale,
              const std::vector<double>& shift);
  // Curved activations and products of computed tensors (smooth.cc).
  void smooth_activation(const OnnxNode& node);
  /// Whether a times b is an activation that an exporter wrote out, which then defines the node.
  bool written_out_activation(const OnnxNode& node, const Value& a, const Value& b);
  void product(const OnnxNode& node, const Value& a, const Value& b);
  // Moving values (onnx_movement.cc).
  void identity(const OnnxNode& node);
  void flatten(const OnnxNode& node);
  void reshape(const OnnxNode& node);
  void squeeze(const OnnxNode& node);
  void unsqueeze(const OnnxNode& node);
  void transpose(const OnnxNode& node);
  void slice(const OnnxNode& node);
  void gather(const OnnxNode& node);
  void pad(const OnnxNode& node);
  void concat(const OnnxNode& node);
  void view(const OnnxNode& node, std::vector<std::int64_t> dims);
  void gather_per_axis(const OnnxNode& node, const Value& value,
                       const std::vector<std::vector<std::int64_t>>& source);
  /// Axis of the per-image tensor (0 = channels) for an ONNX axis, which counts the batch and may be
  /// negative.
  std::size_t image_axis(const OnnxNode& node, std::int64_t axis, std::size_t image_rank) const;
  // Arithmetic on constants, for the shape computations that exporters write out (onnx_constants.cc).
  bool fold_constants(const OnnxNode& node);

  const OnnxModel& model_;
  Graph graph_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, Constant> constants_;
  std::unordered_set<std::string> unknown_;  ///< outputs of unsupported nodes
  std::unordered_set<std::string> names_;
  std::map<std::tuple<int, double, double, double>, int> polynomials_;
  std::map<std::tuple<int, int, int, int>, int> reshapes_;
  std::int64_t total_elements_ = 0;
};

}  // namespace ap::nn

// From the operators of an ONNX file to the few operations of Graph. Every tensor of the file is, while
// lowering, either a constant or a Value: a polynomial of degree at most two of one graph node, seen with
// some shape. So Flatten and Reshape cost nothing, and an activation written as several Mul and Add nodes
// becomes one QuadraticOp. All is seen as by one image: the batch is a dimension of one element like any other.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nn/ir/graph.h"
#include "nn/onnx/arguments.h"
#include "nn/onnx/movement.h"
#include "nn/onnx/operators.h"
#include "nn/onnx/reader.h"

namespace ap::nn {

/// c0 + c1 x + c2 x^2 of the output x of a graph node, read as a row-major tensor of shape `dims` (with the batch).
struct Value {
  int node = 0;
  Dims dims;
  double c0 = 0, c1 = 1, c2 = 0;
  std::string origin;  ///< the file's node that made it; names the graph node if one has to be made
  /// The file's tensor has an integer type, whose arithmetic wraps around and cuts off: only moved and cast.
  bool is_integer = false;
  /// If is_integer and the scale is positive: integers q of the file that stand for this value, (q - zero) * scale.
  double scale = 0, zero = 0;
  bool is_plain() const { return c0 == 0 && c1 == 1 && c2 == 0; }
  int degree() const { return c2 != 0 ? 2 : c1 != 0 ? 1 : 0; }
};

/// Whether a value is above (or else below) a limit, element by element.
struct Comparison {
  Value value;
  double limit = 0;
  bool above = true;
};

/// The Graph shape of dimensions with a batch of one in front: {n}, {c,h} -> {c,h,1}, {c,h,w}; more are merged into h.
Shape shape_of(const Dims& dims);
std::int64_t element_count(const Dims& dims);

/// Kernel, stride and padding along height and width; one-dimensional windows have a height of 1.
struct SpatialWindow {
  std::array<std::int64_t, 2> in{1, 1}, kernel{1, 1}, stride{1, 1}, dilation{1, 1}, before{0, 0}, after{0, 0};
  /// What ceil_mode adds behind the padding, for the last, partial windows.
  std::array<std::int64_t, 2> extension{0, 0};
  std::int64_t extent(std::size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  std::int64_t out(std::size_t axis) const {
    return (in[axis] + before[axis] + after[axis] + extension[axis] - extent(axis)) / stride[axis] + 1;
  }
};

class OnnxLowering {
 public:
  explicit OnnxLowering(const OnnxModel& model) : model_(model) {}
  struct Result {
    Graph graph;  ///< not yet simplified: dead nodes may be left, the output need not be last
    int output = 0;
  };
  /// @throws Error(input); all unsupported nodes are named in one message.
  Result run();

  using Method = void (OnnxLowering::*)(const OnnxNode&);
  /// How each operator on computed tensors is read; only moving values needs no entry.
  static const std::unordered_map<std::string, Method>& methods();

 private:
  void define_input();
  void lower(const OnnxNode& node);
  int join_outputs();
  [[noreturn]] void bad(const OnnxNode& node, const std::string& what) const;

  // Tensors of the file.
  bool is_constant(const std::string& name) const;
  const Constant& constant(const std::string& name);
  Arguments arguments(const OnnxNode& node);
  /// Input i as a constant, or Unsupported("... must be a constant").
  const Constant& constant_input(const OnnxNode& node, std::size_t i, const char* what);
  /// Input i as a computed tensor with real arithmetic, or Unsupported.
  const Value& tensor(const OnnxNode& node, std::size_t i) const;
  /// Input i as a computed tensor of any type, or Unsupported.
  const Value& raw_tensor(const OnnxNode& node, std::size_t i) const;
  void define(const OnnxNode& node, Value value, std::size_t output = 0);
  void note(const std::string& text);

  /// Counts what is made, and refuses files that make too much of it.
  void spend(std::int64_t elements, const std::string& name);

  // Nodes of the graph.
  int add_node(const std::string& name, Op op, std::vector<int> inputs, Shape shape);
  const Shape& node_shape(int node) const { return graph_.nodes[static_cast<std::size_t>(node)].shape; }
  /// A node that computes the value, whatever its shape.
  int materialise(const Value& value);
  /// A node that computes the value and has this shape of as many elements.
  int shaped(const Value& value, const Shape& shape);
  int shaped(const Value& value) { return shaped(value, shape_of(value.dims)); }
  Value plain(const OnnxNode& node, int graph_node, Dims dims) const;
  Value moved(const Value& value, Movement movement, const std::string& name);
  Value expanded(const Value& value, const Dims& dims, const std::string& name);
  /// scale[0] * value + shift[0], or with one scale and shift for each element.
  Value affine(const Value& value, const std::vector<double>& scale, const std::vector<double>& shift,
               const std::string& name);
  Value affine_by_element(const Value& value, const std::vector<double>& scale,
                          const std::vector<double>& shift, const std::string& name);
  Value sum_of(const Value& a, const Value& b, const std::string& name);
  Value clipped(const Value& value, double low, double high, const std::string& name);
  /// Along dimension `axis` of the value: out[o] = sum over i of matrix[o][i] in[i], plus bias[o].
  Value linear_along(const Value& value, std::size_t axis, std::vector<float> matrix, std::vector<float> bias,
                     const std::string& name);

  // Linear layers (linear.cc).
  void conv(const OnnxNode& node);
  void conv_transpose(const OnnxNode& node);
  void gemm(const OnnxNode& node);
  void matmul(const OnnxNode& node);
  void batch_normalization(const OnnxNode& node);
  void scaler(const OnnxNode& node);
  Value convolution(const OnnxNode& node, const Value& input, const Constant& weights,
                    std::vector<float> bias);
  Value product(const OnnxNode& node, const Value& input, const Constant& matrix, bool transposed,
                double alpha, std::vector<float> bias);
  // Windows, shared by convolution and pooling (pooling.cc).
  SpatialWindow window(const OnnxNode& node, const Value& value, const Dims& kernel);
  Value spatial(const Value& value) const;
  Dims spatial_result(const Value& input, std::int64_t channels, const SpatialWindow& w) const;
  void max_pool(const OnnxNode& node);
  void average_pool(const OnnxNode& node);
  void global_average_pool(const OnnxNode& node);
  void global_max_pool(const OnnxNode& node);
  void reduce(const OnnxNode& node);
  Value greatest(const Value& value, const std::vector<Dims>& cells, const std::string& name);
  Value reduced(const Value& value, const std::set<std::size_t>& axes, bool greatest_one,
                const std::string& name);
  // Element by element (elementwise.cc).
  void relu(const OnnxNode& node);
  void clip(const OnnxNode& node);
  void add(const OnnxNode& node);
  void sub(const OnnxNode& node);
  void mul(const OnnxNode& node);
  void div(const OnnxNode& node);
  void neg(const OnnxNode& node);
  void pow(const OnnxNode& node);
  void sum(const OnnxNode& node);
  void cast(const OnnxNode& node);
  /// One factor or summand per element (or just one) that constant c applies to the value; the value grows if the
  /// constant has more elements.
  std::vector<double> element_values(Value& value, const Constant& c, const std::string& name);
  // Functions that ReLU and Clip express exactly (piecewise.cc).
  void leaky_relu(const OnnxNode& node);
  void prelu(const OnnxNode& node);
  void abs(const OnnxNode& node);
  void extremum(const OnnxNode& node);
  void hard_sigmoid(const OnnxNode& node);
  void thresholded_relu(const OnnxNode& node);
  void compare(const OnnxNode& node);
  void where(const OnnxNode& node);
  /// `upper` where the comparison holds, else `lower`; both are linear functions of what it compares.
  Value chosen(const OnnxNode& node, const Comparison& condition, Value upper, Value lower);
  Value interpolated(const OnnxNode& node, const Value& value);
  // Curved activations and products of computed tensors (smooth.cc).
  void smooth_activation(const OnnxNode& node);
  /// Whether a times b is an activation that an exporter wrote out, which is then returned.
  std::optional<Value> written_out_activation(const OnnxNode& node, const Value& a, const Value& b);
  Value tensor_product(const OnnxNode& node, const Value& a, const Value& b);
  // Moving values (concat.cc).
  void concat(const OnnxNode& node);
  Value joined(std::vector<Value> parts, std::size_t axis, const std::string& name);
  // Networks that are quantised already (quantised.cc).
  void quantize_linear(const OnnxNode& node);
  void dequantize_linear(const OnnxNode& node);
  void qlinear_conv(const OnnxNode& node);
  void qlinear_matmul(const OnnxNode& node);
  void qlinear_add(const OnnxNode& node);
  void qlinear_pool(const OnnxNode& node);
  void dynamic_quantize_linear(const OnnxNode& node);
  void integer_product(const OnnxNode& node);
  Value requantised(const OnnxNode& node, Value value, std::size_t scale_input, std::size_t zero_input);
  Constant dequantised_input(const OnnxNode& node, std::size_t value, std::size_t scale, std::size_t zero,
                             std::int64_t axis);
  void move_values(const OnnxNode& node);
  // Arithmetic on constants, for the shape computations that exporters write out (constants.cc).
  bool fold_constants(const OnnxNode& node);

  const OnnxModel& model_;
  Graph graph_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, Constant> constants_;
  std::unordered_map<std::string, Comparison> comparisons_;
  std::unordered_set<std::string> unknown_;  ///< outputs of unsupported nodes
  std::unordered_set<std::string> names_;
  std::map<std::tuple<int, double, double, double>, int> polynomials_;
  std::map<std::tuple<int, int, int, int>, int> reshapes_;
  std::int64_t total_elements_ = 0;
};

}  // namespace ap::nn

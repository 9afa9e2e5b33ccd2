// The float network after import: a straight-line program over per-image tensors, reduced to the few
// operations below. Shapes are concrete (the batch dimension is gone), BatchNormalization is folded into the
// convolution before it, Gemm and MatMul are fully connected nodes, and everything that only moves values
// (Flatten, Reshape, Slice, Pad with zeros, Identity, Dropout) is a Gather or has vanished.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "nn/ir/smooth.h"

namespace ap::nn {

/// No tensor (weights or values) may have more elements than this.
inline constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 26;
/// No network may have more nodes than this.
inline constexpr int kMaxNodes = 100'000;

/// Channels, height, width; a vector of length n is {n, 1, 1}. Layout is row-major: index (c*h + y)*w + x.
struct Shape {
  int c = 0, h = 1, w = 1;
  std::int64_t size() const { return std::int64_t{c} * h * w; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

struct Tensor {
  Shape shape;
  std::vector<float> data;
};

struct Padding {
  int top = 0, left = 0, bottom = 0, right = 0;
  friend bool operator==(const Padding&, const Padding&) = default;
};

/// A window that slides over the two spatial dimensions.
struct Window {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Padding pad;
  /// Output height and width for an input of height h and width w.
  int out_h(int h) const { return (h + pad.top + pad.bottom - kernel_h) / stride_h + 1; }
  int out_w(int w) const { return (w + pad.left + pad.right - kernel_w) / stride_w + 1; }
  friend bool operator==(const Window&, const Window&) = default;
};

/// How the file declares one image, where that differs from the input node's channels, height, width; data of exactly
/// this form is taken as it is.
struct InputForm {
  std::vector<int> dims;       ///< without the batch, e.g. {28, 28, 1}; empty: as the input node's shape
  bool channels_last = false;  ///< `dims` are height, width, channels (or length, channels)
  friend bool operator==(const InputForm&, const InputForm&) = default;
};

struct InputOp {};
/// weights[c_out][c_in / groups][kernel_h][kernel_w], bias[c_out]. Input channel group g feeds output group
/// g. Dilation has been expanded into the kernel with zeros.
struct ConvOp {
  Window window;
  int groups = 1;
  std::vector<float> weights;
  std::vector<float> bias;
};
/// weights[n_out][n_in] over the flattened input, bias[n_out].
struct FullyConnectedOp {
  std::vector<float> weights;
  std::vector<float> bias;
};
/// min(max(x, low), high); plain ReLU has low = 0 and high = infinity.
struct ClipOp {
  float low = 0;
  float high = 0;
};
/// c0 + c1 x + c2 x^2, element by element.
struct QuadraticOp {
  float c0 = 0, c1 = 0, c2 = 0;
};
/// Sum of two tensors of equal shape.
struct AddOp {};
/// The product of two tensors, element by element. The second may have one value a channel, {c, 1, 1}, for a first
/// of any height and width.
struct ProductOp {};
/// y = scale[c] * x + shift[c] (BatchNormalization or a constant Mul/Add that no convolution could absorb).
struct AffineOp {
  std::vector<float> scale, shift;
};
/// Padding never wins the maximum.
struct MaxPoolOp {
  Window window;
};
/// `factor` times the mean over the window; padding counts as zeros when count_include_pad, else only real elements are
/// averaged. A sum has the number of elements as its factor, and a window of one element multiplies by a constant: the
/// integer network does both by its scales alone.
struct AveragePoolOp {
  Window window;
  bool count_include_pad = false;
  float factor = 1;  ///< positive
};
/// Concatenation along channels.
struct ConcatOp {};
/// out[i] = in[index[i]], or 0 where index[i] is -1.
struct GatherOp {
  std::vector<std::int32_t> index;
};

using Op = std::variant<InputOp, ConvOp, FullyConnectedOp, ClipOp, QuadraticOp, AddOp, AffineOp, MaxPoolOp,
                        AveragePoolOp, ConcatOp, GatherOp, SmoothOp, ProductOp>;

struct Node {
  std::string name;  ///< as in the ONNX file, or made from the operation and its number; unique
  Op op;
  std::vector<int> inputs;  ///< indices of earlier nodes
  Shape shape;              ///< of the output
};

/// Node 0 is the input; the last node is the output (the logits). Every node feeds some later node but the
/// last.
struct Graph {
  std::string name;
  InputForm input_form;
  std::vector<Node> nodes;
  std::vector<std::string>
      notes;  ///< what the import changed that the owner should know (a Softmax left out)
  const Shape& input_shape() const { return nodes.front().shape; }
  const Shape& output_shape() const { return nodes.back().shape; }
};

/// A short name of the operation: "conv", "fully_connected", "clip", ...
const char* op_name(const Op& op);

/// "3x32x32" for messages.
std::string to_string(const Shape& shape);

/// Checks that the dimensions of a form, if there are any, are those of an input of this shape.
/// @throws Error(input) that names the network.
void validate(const InputForm& form, const Shape& input, const std::string& network);

/// Checks every convention written above: order, arity, shapes, sizes of weights, finite numbers, unique
/// names.
/// @throws Error(input) that names the first node at fault.
void validate(const Graph& graph);

}  // namespace ap::nn

// The integer network: what the two parties really compute, exactly, and what the clear executor runs as the
// reference. Every tensor is an array of signed integers; real value = integer * scale. Requantisation is an
// arithmetic right shift inside Activation nodes; nothing else divides.
//
// Four kinds of node matter to the protocol:
//   Input        the client's image
//   Linear       needs the server's weights (homomorphic encryption offline)
//   local nodes  Add, SumPool, Concat, Gather: integer-linear with public constants, so each party applies
//                them to its own share
//   Activation   truncate, optionally max-pool, clamp: needs two-party computation, as do
//   Table        truncate, clamp, look up in a public table (SiLU, GELU, sigmoids, ...)
//   Quadratic    truncate, a quadratic, truncate, clamp
//   Product      of two private tensors, truncate, clamp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

struct QInput {};

/// Convolution (or, with groups == c_in == c_out, depthwise convolution, or, with a 1x1 input, a fully
/// connected layer): out[o] = sum weights * in + bias[o], in accumulator units (this node's scale).
/// weights[c_out][c_in / groups][kernel_h][kernel_w]; a fully connected layer over an input of shape {c,h,w}
/// sees it flattened to {c*h*w, 1, 1}: `in_shape` is the shape as the kernel sees it. Weights and bias are
/// empty in the client's copy of the network.
struct QLinear {
  Shape in_shape;
  Window window;
  int groups = 1;
  std::vector<std::int16_t> weights;
  std::vector<std::int64_t> bias;
};
/// out = multiplier[0] * in0 + multiplier[1] * in1 + ...; equal shapes, positive multipliers.
struct QAdd {
  std::vector<std::int64_t> multiplier;
};
/// Sum over the window (zeros outside); the divisor of an average lies in the scale.
struct QSumPool {
  Window window;
};
/// Concatenation along channels, all inputs of equal scale.
struct QConcat {};
/// out[i] = in[index[i]], or 0 where index[i] is -1.
struct QGather {
  std::vector<std::int32_t> index;
};
/// t = floor((x + 2^(shift-1)) / 2^shift)            (t = x when shift is 0)
/// m = max of t over each window, if pool is set       (positions in the padding are left out)
/// out = min(max(m, low), low + 2^bits - 1)
/// A ReLU with eight output bits has low = 0, bits = 8; a plain requantisation to signed eight bits has low =
/// -128.
struct QActivation {
  int shift = 0;
  std::int64_t low = 0;
  int bits = 8;
  bool has_pool = false;
  Window pool;
};
/// t as above, then out = min(max(floor((c0 + c1 t + c2 t^2 + 2^(post_shift-1)) / 2^post_shift), low), low +
/// 2^bits - 1)
struct QQuadratic {
  int shift = 0;
  std::int64_t c0 = 0, c1 = 0, c2 = 0;
  int post_shift = 0;
  std::int64_t low = 0;
  int bits = 8;
};

/// t as above, u = min(max(t - low, 0), 2^bits - 1), then
///   out = offset + values[u >> cell_bits]
/// or, with relu (low = -2^(bits-1)), of the signed number s = u + low:
///   out = offset + max(s, 0) + values[cell],  cell = u >> cell_bits, with even (|s| mod 2^(bits-1)) >> cell_bits
struct QTable {
  int shift = 0;
  std::int64_t low = 0;
  int bits = 8;
  bool relu = false;
  bool even = false;  ///< with relu only
  int cell_bits = 0;
  std::int64_t offset = 0;
  std::vector<std::uint16_t> values;  ///< 2^index_bits() of them

  int index_bits() const { return bits - (even ? 1 : 0) - cell_bits; }
  /// Bits of the largest value, at least 1.
  int value_bits() const;
  std::int64_t at(std::int64_t u) const;
};
/// x = in0[i] in1[i] (in1 with one value a channel: in1[channel of i]), then as an activation
/// out = min(max(floor((x + 2^(shift-1)) / 2^shift), low), low + 2^bits - 1)
struct QProduct {
  int shift = 0;
  std::int64_t low = 0;
  int bits = 8;
};

using QOp = std::variant<QInput, QLinear, QAdd, QSumPool, QConcat, QGather, QActivation, QQuadratic, QTable,
                         QProduct>;

/// How the input of a node is truncated and clamped, of the kinds that read it so: Activation and Table.
struct Clamp {
  int shift = 0;
  std::int64_t low = 0;
  int bits = 8;
};
std::optional<Clamp> clamp_of(const QOp& op);

/// Whether a node ends a run of accumulators by two-party computation: Activation, Quadratic, Table, Product.
bool is_activation(const QOp& op);

struct QNode {
  std::string name;
  QOp op;
  std::vector<int> inputs;
  Shape shape;
  double scale = 1;
  /// Every value this node can take for any input lies in [low, high] (exact interval bound from the
  /// weights).
  std::int64_t low = 0, high = 0;
};

/// Same conventions as Graph: node 0 is the input, the last node the logits (accumulators, not requantised).
struct QuantisedNetwork {
  std::string name;
  InputForm input_form;
  std::vector<QNode> nodes;
  const Shape& input_shape() const { return nodes.front().shape; }
  const Shape& output_shape() const { return nodes.back().shape; }
};

/// A short name of the operation: "linear", "add", "activation", ...
const char* op_name(const QOp& op);

/// The client's copy: the same network with the weights and biases of every Linear node empty.
QuantisedNetwork strip_weights(QuantisedNetwork network);

/// Which weights `validate` wants to see: every Linear node's, none, or either of the two.
enum class WeightsRule { required, absent, either };

/// Checks a network that comes from an untrusted file: sizes and counts are capped, shapes follow from the
/// operations, indices point backwards, every node but the last is used, scales agree, and the stored ranges
/// are exactly those that follow from the inputs' ranges (for Linear nodes only when their weights are
/// there). With WeightsRule::absent, scales and ranges other than the input's are private and not looked at.
/// Otherwise, afterwards, every value of every node fits 32 bits, whatever the input. Costs about one pass
/// over the weights.
/// @throws Error(input) naming the first offending node.
void validate(const QuantisedNetwork& network, WeightsRule rule = WeightsRule::either);

}  // namespace ap::nn

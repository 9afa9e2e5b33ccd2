// Conv, Gemm, MatMul and BatchNormalization.
#include <cmath>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

/// Spreads each kernel row and column `dilation` apart, with zeros between.
std::vector<float> dilate(const std::vector<float>& weights, std::int64_t kernels, int kh, int kw,
                          std::int64_t dh, std::int64_t dw, int wide_h, int wide_w) {
  std::vector<float> out(static_cast<std::size_t>(kernels) * static_cast<std::size_t>(wide_h) *
                         static_cast<std::size_t>(wide_w));
  for (std::int64_t k = 0; k < kernels; ++k) {
    for (std::int64_t y = 0; y < kh; ++y) {
      for (std::int64_t x = 0; x < kw; ++x) {
        out[static_cast<std::size_t>((k * wide_h + y * dh) * wide_w + x * dw)] =
            weights[static_cast<std::size_t>((k * kh + y) * kw + x)];
      }
    }
  }
  return out;
}

}  // namespace

void OnnxLowering::conv(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const Constant& weights = constant_input(node, 1, "weights");
  if (weights.is_integer) throw Unsupported{"its weights are integers; export the float network"};
  const std::vector<std::int64_t> dims = spatial_dims(node, input);
  if (weights.dims.size() != 4 || weights.size() == 0) bad(node, "does not have weights of four dimensions");
  const std::int64_t c_out = weights.dims[0], kh = weights.dims[2], kw = weights.dims[3];
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || dims[0] % groups != 0 || c_out % groups != 0 || weights.dims[1] != dims[0] / groups) {
    bad(node, fmt::format("has weights {}x{}x{}x{} in {} groups, which do not fit {} input channels", c_out,
                          weights.dims[1], kh, kw, groups, dims[0]));
  }
  if (const auto kernel = node.integers("kernel_shape"); kernel && *kernel != std::vector{kh, kw}) {
    bad(node, fmt::format("has a kernel_shape that differs from its {}x{} weights", kh, kw));
  }
  const auto dilations = node.integers("dilations").value_or(std::vector<std::int64_t>{1, 1});
  if (dilations.size() != 2 || dilations[0] < 1 || dilations[1] < 1 || dilations[0] > kMaxTensorElements ||
      dilations[1] > kMaxTensorElements) {
    bad(node, "has dilations that are not two positive numbers");
  }
  const std::int64_t wide_h = (kh - 1) * dilations[0] + 1, wide_w = (kw - 1) * dilations[1] + 1;
  checked_size({c_out, weights.dims[1], wide_h, wide_w}, node.name());
  ConvOp op;
  op.window = window(node, wide_h, wide_w, dims, false);
  op.groups = static_cast<int>(groups);
  op.weights = dilate(weights.floats, c_out * weights.dims[1], static_cast<int>(kh), static_cast<int>(kw),
                      dilations[0], dilations[1], static_cast<int>(wide_h), static_cast<int>(wide_w));
  op.bias.assign(static_cast<std::size_t>(c_out), 0.0F);
  if (!node.input(2).empty()) {
    const Constant& bias = constant_input(node, 2, "bias");
    if (bias.is_integer || bias.size() != c_out)
      bad(node, fmt::format("has {} biases, not {}", bias.size(), c_out));
    op.bias = bias.floats;
  }
  const std::vector<std::int64_t> out = {c_out, op.window.out_h(static_cast<int>(dims[1])),
                                         op.window.out_w(static_cast<int>(dims[2]))};
  checked_size(out, node.name());
  const int source = shaped(input);
  define(node, plain(node, add_node(node.name(), std::move(op), {source}, shape_of(out)), out));
}

void OnnxLowering::fully_connected(const OnnxNode& node, const Constant& matrix, bool transposed,
                                   double alpha, std::vector<float> bias) {
  const Value& input = tensor(node, 0);
  const std::int64_t n_in = input.dims.empty() ? 1 : input.dims.back();
  if (input.dims.size() != 1) {
    throw Unsupported{"it multiplies a tensor of more than two dimensions; put a Flatten before it"};
  }
  const auto rows = static_cast<std::size_t>(matrix.dims[0]),
             columns = static_cast<std::size_t>(matrix.dims[1]);
  const std::size_t inputs = transposed ? columns : rows, outputs = transposed ? rows : columns;
  if (static_cast<std::int64_t>(inputs) != n_in) {
    bad(node, fmt::format("has a {}x{} matrix, which does not fit {} inputs", rows, columns, n_in));
  }
  FullyConnectedOp op;
  op.weights.resize(inputs * outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      const float w = transposed ? matrix.floats[o * inputs + i] : matrix.floats[i * outputs + o];
      op.weights[o * inputs + i] = static_cast<float>(alpha * static_cast<double>(w));
    }
  }
  op.bias = std::move(bias);
  const int source = materialise(input);
  const std::vector<std::int64_t> out = {static_cast<std::int64_t>(outputs)};
  define(node, plain(node, add_node(node.name(), std::move(op), {source}, shape_of(out)), out));
}

void OnnxLowering::gemm(const OnnxNode& node) {
  if (node.integer("transA", 0) != 0) throw Unsupported{"transA = 1 would transpose the batch"};
  const Constant& matrix = constant_input(node, 1, "matrix B");
  if (matrix.is_integer || matrix.dims.size() != 2 || matrix.size() == 0) {
    bad(node, "has a matrix B that is not a float matrix");
  }
  const bool transposed = node.integer("transB", 0) != 0;
  const auto outputs = static_cast<std::size_t>(matrix.dims[transposed ? 0 : 1]);
  std::vector<float> bias(outputs, 0.0F);
  if (!node.input(2).empty()) {
    const Constant& c = constant_input(node, 2, "bias C");
    const auto size = static_cast<std::size_t>(c.size());
    const bool is_row = c.dims.empty() || c.dims.size() == 1 || (c.dims.size() == 2 && c.dims[0] == 1);
    if (c.is_integer || !is_row || (size != 1 && size != outputs)) {
      bad(node, fmt::format("has a bias C of {} values, not 1 or {}", size, outputs));
    }
    const double beta = node.number("beta", 1);
    for (std::size_t o = 0; o < outputs; ++o) {
      bias[o] = static_cast<float>(beta * static_cast<double>(c.floats[size == 1 ? 0 : o]));
    }
  }
  fully_connected(node, matrix, transposed, node.number("alpha", 1), std::move(bias));
}

void OnnxLowering::matmul(const OnnxNode& node) {
  if (is_constant(node.input(0)))
    throw Unsupported{"only tensor times constant matrix is supported, not the reverse"};
  const Constant& matrix = constant_input(node, 1, "second factor");
  if (matrix.is_integer || matrix.dims.size() != 2 || matrix.size() == 0) {
    throw Unsupported{"its second factor is not a float matrix of two dimensions"};
  }
  fully_connected(node, matrix, false, 1, std::vector<float>(static_cast<std::size_t>(matrix.dims[1]), 0.0F));
}

void OnnxLowering::batch_normalization(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  if (node.integer("training_mode", 0) != 0)
    throw Unsupported{"it is in training mode; export in evaluation mode"};
  if (node.integer("spatial", 1) != 1) throw Unsupported{"spatial = 0 is not supported"};
  static constexpr const char* kNames[] = {"scale", "shift", "mean", "variance"};
  const Constant* parameters[4];
  const std::int64_t channels = input.dims.empty() ? 1 : input.dims[0];
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i] = &constant_input(node, i + 1, kNames[i]);
    if (parameters[i]->is_integer || parameters[i]->size() != channels) {
      bad(node, fmt::format("has {} values as {}, not {}", parameters[i]->size(), kNames[i], channels));
    }
  }
  const double epsilon = node.number("epsilon", 1e-5);
  std::vector<double> scale, shift;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const auto value = [&](int i) { return static_cast<double>(parameters[i]->floats[c]); };
    const double variance = value(3) + epsilon;
    if (!(variance > 0)) bad(node, fmt::format("has variance {} in channel {}", value(3), c));
    scale.push_back(value(0) / std::sqrt(variance));
    shift.push_back(value(1) - value(2) * scale.back());
  }
  affine(node, input, scale, shift);
}

}  // namespace ap::nn

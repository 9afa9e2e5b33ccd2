// Conv, ConvTranspose, Gemm, MatMul and BatchNormalization.
#include <algorithm>
#include <cmath>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

/// The integer network takes kernels of at most this extent; larger ones multiply gathered patches.
constexpr std::int64_t kMaxKernel = 64;

int narrow(std::int64_t v) { return static_cast<int>(v); }

/// Spreads each kernel row and column `dilation` apart, with zeros between.
std::vector<float> dilate(const std::vector<float>& weights, std::int64_t kernels, const SpatialWindow& w) {
  const std::int64_t wide_h = w.extent(0), wide_w = w.extent(1);
  if (wide_h == w.kernel[0] && wide_w == w.kernel[1]) return weights;
  std::vector<float> out(static_cast<std::size_t>(kernels * wide_h * wide_w));
  for (std::int64_t k = 0; k < kernels; ++k) {
    for (std::int64_t y = 0; y < w.kernel[0]; ++y) {
      for (std::int64_t x = 0; x < w.kernel[1]; ++x) {
        out[static_cast<std::size_t>((k * wide_h + y * w.dilation[0]) * wide_w + x * w.dilation[1])] =
            weights[static_cast<std::size_t>((k * w.kernel[0] + y) * w.kernel[1] + x)];
      }
    }
  }
  return out;
}

Dims count_up(std::int64_t n) {
  Dims out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(i);
  return out;
}

/// The elements under each tap of each window: [channels * taps][out_h][out_w] from [channels][in_h][in_w].
Movement patches(const SpatialWindow& w, std::int64_t channels) {
  Movement out{{1, channels * w.kernel[0] * w.kernel[1], w.out(0), w.out(1)}, std::vector<std::int32_t>()};
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky) {
      for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx) {
        for (std::int64_t y = 0; y < w.out(0); ++y) {
          for (std::int64_t x = 0; x < w.out(1); ++x) {
            const std::int64_t iy = y * w.stride[0] - w.before[0] + ky * w.dilation[0];
            const std::int64_t ix = x * w.stride[1] - w.before[1] + kx * w.dilation[1];
            const bool inside = iy >= 0 && ix >= 0 && iy < w.in[0] && ix < w.in[1];
            out.index->push_back(inside ? narrow((c * w.in[0] + iy) * w.in[1] + ix) : -1);
          }
        }
      }
    }
  }
  return out;
}

std::string to_text(const Dims& dims) {
  std::string out;
  for (const std::int64_t d : dims) out += fmt::format("{}{}", out.empty() ? "" : "x", d);
  return out;
}

}  // namespace

Value OnnxLowering::convolution(const OnnxNode& node, const Value& given, const Constant& weights,
                                std::vector<float> bias) {
  if (weights.is_integer) throw Unsupported{"its weights are integers; export the float network"};
  Value input = spatial(given);
  if (weights.dims.size() != given.dims.size() || weights.size() == 0) {
    bad(node, fmt::format("does not have weights of {} dimensions", given.dims.size()));
  }
  const std::int64_t c_in = input.dims[1], c_out = weights.dims[0], groups = node.integer("group", 1);
  if (groups < 1 || c_in % groups != 0 || c_out % groups != 0 || weights.dims[1] != c_in / groups) {
    bad(node, fmt::format("has weights {} in {} groups, which do not fit {} input channels",
                          to_text(weights.dims), groups, c_in));
  }
  const Dims kernel(weights.dims.begin() + 2, weights.dims.end());
  if (const auto declared = node.integers("kernel_shape"); declared && *declared != kernel) {
    bad(node, fmt::format("has a kernel_shape that differs from its {} weights", to_text(weights.dims)));
  }
  SpatialWindow w = window(node, given, kernel);
  const Dims dims = spatial_result(given, c_out, w);
  checked_size(dims, node.name());
  if (bias.empty()) bias.assign(static_cast<std::size_t>(c_out), 0.0F);
  if (static_cast<std::int64_t>(bias.size()) != c_out) {
    bad(node, fmt::format("has {} biases, not {}", bias.size(), c_out));
  }
  ConvOp op;
  op.groups = narrow(groups);
  op.bias = std::move(bias);
  Shape in{narrow(c_in), narrow(input.dims[2]), narrow(input.dims[3])};
  if (std::max(w.extent(0), w.extent(1)) > kMaxKernel) {
    checked_size({c_in, w.kernel[0], w.kernel[1], w.out(0), w.out(1)}, node.name());
    input = moved(input, patches(w, c_in), node.name());
    in = {narrow(input.dims[1]), narrow(w.out(0)), narrow(w.out(1))};
    op.weights = weights.floats;
  } else {
    checked_size({c_out, weights.dims[1], w.extent(0), w.extent(1)}, node.name());
    op.weights = dilate(weights.floats, c_out * weights.dims[1], w);
    // A window holds some of the image: what is padded beyond that is put around the image itself.
    std::vector<Dims> source = {{0}, count_up(c_in), {}, {}};
    std::array<std::int64_t, 2> front{}, back{};
    for (std::size_t a = 0; a < 2; ++a) {
      front[a] = std::max<std::int64_t>(0, w.before[a] - w.extent(a) + 1);
      back[a] = std::max<std::int64_t>(0, w.after[a] - w.extent(a) + 1);
      for (std::int64_t i = -front[a]; i < w.in[a] + back[a]; ++i)
        source[a + 2].push_back(i < w.in[a] ? std::max<std::int64_t>(i, -1) : -1);
    }
    checked_size({c_in, std::ssize(source[2]), std::ssize(source[3])}, node.name());
    input = moved(input, move_per_axis(input.dims, source, node.name()), node.name());
    in = {in.c, narrow(input.dims[2]), narrow(input.dims[3])};
    op.window = {narrow(w.extent(0)), narrow(w.extent(1)), narrow(w.stride[0]), narrow(w.stride[1]),
                 Padding{narrow(w.before[0] - front[0]), narrow(w.before[1] - front[1]),
                         narrow(w.after[0] - back[0]), narrow(w.after[1] - back[1])}};
  }
  const int from = shaped(input, in);
  const Shape out{narrow(c_out), narrow(w.out(0)), narrow(w.out(1))};
  return Value{
      .node = add_node(node.name(), std::move(op), {from}, out), .dims = dims, .origin = node.name()};
}

void OnnxLowering::conv(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const Constant& weights = constant_input(node, 1, "weights");
  std::vector<float> bias;
  if (!node.input(2).empty()) {
    const Constant& c = constant_input(node, 2, "bias");
    if (c.is_integer) bad(node, "has biases that are integers");
    bias = c.floats;
  }
  define(node, convolution(node, input, weights, std::move(bias)));
}

/// The image with zeros between its elements, and a convolution with the kernel turned around.
void OnnxLowering::conv_transpose(const OnnxNode& node) {
  const Value& given = tensor(node, 0);
  Value input = spatial(given);
  const Constant& weights = constant_input(node, 1, "weights");
  const std::size_t rank = given.dims.size() - 2;
  if (weights.is_integer || weights.dims.size() != given.dims.size() || weights.size() == 0) {
    bad(node, fmt::format("does not have float weights of {} dimensions", given.dims.size()));
  }
  const Dims kernel(weights.dims.begin() + 2, weights.dims.end());
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  SpatialWindow w = window(node, given, kernel);
  const Dims extra = node.integers("output_padding").value_or(Dims(rank, 0));
  Dims wanted = node.integers("output_shape").value_or(Dims{});
  if (extra.size() != rank || (!wanted.empty() && wanted.size() != rank && wanted.size() != rank + 2)) {
    bad(node, "has an output_padding or output_shape of the wrong length");
  }
  if (wanted.size() == rank + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  const std::int64_t groups = node.integer("group", 1), c_in = input.dims[1], per_group = weights.dims[1];
  if (groups < 1 || c_in % groups != 0 || weights.dims[0] != c_in) {
    bad(node, fmt::format("has weights {} in {} groups, which do not fit {} input channels",
                          to_text(weights.dims), groups, c_in));
  }
  std::vector<Dims> source = {{0}, count_up(c_in), {0}, {0}};
  for (std::size_t a = 2 - rank; a < 2; ++a) {
    const std::size_t k = a + rank - 2;
    if (extra[k] < 0 || extra[k] > kMaxKernel * 16)
      bad(node, fmt::format("has an output_padding of {}", extra[k]));
    const bool is_same = auto_pad.starts_with("SAME");
    const std::int64_t stretched = (w.in[a] - 1) * w.stride[a] + 1;
    if (is_same || !wanted.empty()) {
      const std::int64_t size = wanted.empty() ? w.in[a] * w.stride[a] : wanted[k];
      const std::int64_t total = stretched - 1 + extra[k] + w.extent(a) - size;
      const std::int64_t padding = std::max<std::int64_t>(total, 0);
      w.before[a] = auto_pad == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
      w.after[a] = padding - w.before[a] + std::min<std::int64_t>(total, 0);
    }
    const std::int64_t front = w.extent(a) - 1 - w.before[a], back = w.extent(a) - 1 - w.after[a] + extra[k];
    checked_size({c_in, std::max<std::int64_t>(stretched + front + back, 0)}, node.name());
    source[a + 2].clear();
    for (std::int64_t i = -front; i < stretched + back; ++i) {
      source[a + 2].push_back(i >= 0 && i < stretched && i % w.stride[a] == 0 ? i / w.stride[a] : -1);
    }
  }
  checked_size({c_in, std::ssize(source[2]), std::ssize(source[3])}, node.name());
  input = moved(input, move_per_axis(input.dims, source, node.name()), node.name());
  const std::int64_t wide_h = w.extent(0), wide_w = w.extent(1), taps = wide_h * wide_w;
  if (input.dims[2] < wide_h || input.dims[3] < wide_w || std::max(wide_h, wide_w) > kMaxKernel) {
    throw Unsupported{
        fmt::format("its kernel covers {}x{} elements; at most {} are supported, and no more than its image",
                    wide_h, wide_w, kMaxKernel)};
  }
  const std::vector<float> wide = dilate(weights.floats, c_in * per_group, w);
  const std::int64_t in_group = c_in / groups, c_out = per_group * groups;
  ConvOp op{{narrow(wide_h), narrow(wide_w), 1, 1, {}},
            narrow(groups),
            {},
            std::vector<float>(static_cast<std::size_t>(c_out))};
  op.weights.reserve(static_cast<std::size_t>(c_out * in_group * taps));
  for (std::int64_t o = 0; o < c_out; ++o) {
    for (std::int64_t i = 0; i < in_group; ++i) {
      const std::int64_t from = ((o / per_group * in_group + i) * per_group + o % per_group) * taps;
      for (std::int64_t t = taps; t-- > 0;) op.weights.push_back(wide[static_cast<std::size_t>(from + t)]);
    }
  }
  if (!node.input(2).empty()) {
    const Constant& bias = constant_input(node, 2, "bias");
    if (bias.is_integer || bias.size() != c_out)
      bad(node, fmt::format("has {} biases, not {}", bias.size(), c_out));
    op.bias = bias.floats;
  }
  const int from = shaped(input, {narrow(c_in), narrow(input.dims[2]), narrow(input.dims[3])});
  const Shape out{narrow(c_out), op.window.out_h(node_shape(from).h), op.window.out_w(node_shape(from).w)};
  Dims dims = {1, out.c, out.h, out.w};
  if (rank == 1) dims.erase(dims.begin() + 2);
  define(node, plain(node, add_node(node.name(), std::move(op), {from}, out), dims));
}

Value OnnxLowering::product(const OnnxNode& node, const Value& input, const Constant& matrix, bool transposed,
                            double alpha, std::vector<float> bias) {
  if (matrix.is_integer || matrix.dims.size() != 2 || matrix.size() == 0) {
    throw Unsupported{"its matrix is not a float matrix of two dimensions"};
  }
  const auto rows = static_cast<std::size_t>(matrix.dims[0]),
             columns = static_cast<std::size_t>(matrix.dims[1]);
  const std::size_t inputs = transposed ? columns : rows, outputs = transposed ? rows : columns;
  const std::int64_t n_in = input.dims.empty() ? 1 : input.dims.back();
  if (static_cast<std::int64_t>(inputs) != n_in || input.dims.empty()) {
    bad(node, fmt::format("has a {}x{} matrix, which does not fit {} inputs", rows, columns, n_in));
  }
  std::vector<float> weights(inputs * outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      const float w = transposed ? matrix.floats[o * inputs + i] : matrix.floats[i * outputs + o];
      weights[o * inputs + i] = static_cast<float>(alpha * static_cast<double>(w));
    }
  }
  bias.resize(outputs, 0.0F);
  return linear_along(input, input.dims.size() - 1, std::move(weights), std::move(bias), node.name());
}

void OnnxLowering::gemm(const OnnxNode& node) {
  const double alpha = node.number("alpha", 1), beta = node.number("beta", 1);
  const bool left = is_constant(node.input(0));
  if (!left && !is_constant(node.input(1))) throw Unsupported{"it multiplies two computed tensors"};
  Value input = tensor(node, left ? 1 : 0);
  if (input.dims.size() != 2) bad(node, "multiplies a tensor that is no matrix");
  const Movement turn = permute(input.dims, {1, 0});
  if (node.integer(left ? "transB" : "transA", 0) != 0) input = moved(input, turn, node.name());
  const bool matrix_turned = node.integer(left ? "transA" : "transB", 0) != 0;
  Value out;
  if (left) {
    // (A B)^T = B^T A^T
    input = moved(input, permute(input.dims, {1, 0}), node.name());
    out = product(node, input, constant_input(node, 0, "matrix A"), !matrix_turned, alpha, {});
    out = moved(out, permute(out.dims, {1, 0}), node.name());
  } else {
    out = product(node, input, constant_input(node, 1, "matrix B"), matrix_turned, alpha, {});
  }
  if (!node.input(2).empty() && is_constant(node.input(2))) {
    const Dims dims = out.dims;
    std::vector<double> shift = element_values(out, constant_input(node, 2, "bias C"), node.name());
    if (out.dims != dims) bad(node, fmt::format("has a bias C that does not fit {} outputs", dims.back()));
    for (double& v : shift) v *= beta;
    out = affine(out, {1}, shift, node.name());
  } else if (!node.input(2).empty()) {
    out = sum_of(out, affine(tensor(node, 2), {beta}, {0}, node.name()), node.name());
  }
  define(node, std::move(out));
}

void OnnxLowering::matmul(const OnnxNode& node) {
  const bool left = is_constant(node.input(0));
  if (!left && !is_constant(node.input(1))) throw Unsupported{"it multiplies two computed tensors"};
  Value input = tensor(node, left ? 1 : 0);
  Constant matrix = constant_input(node, left ? 0 : 1, left ? "first factor" : "second factor");
  // A matrix may be written as a stack of one, and a vector is a matrix of one row or column.
  std::size_t stack = 0;
  while (matrix.dims.size() - stack > 2 && matrix.dims[stack] == 1) ++stack;
  const std::size_t rank = std::max(input.dims.size(), matrix.dims.size());
  const bool grows = matrix.dims.size() > input.dims.size() && stack > 0;
  matrix.dims.erase(matrix.dims.begin(), matrix.dims.begin() + static_cast<std::ptrdiff_t>(stack));
  const bool is_vector = matrix.dims.size() == 1;
  if (is_vector) matrix.dims.insert(left ? matrix.dims.begin() : matrix.dims.end(), 1);
  const bool input_is_vector = input.dims.size() == 1;
  Value out;
  if (left) {
    if (input_is_vector) input.dims.push_back(1);
    const std::size_t last = input.dims.size() - 1;
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d <= last; ++d) order.push_back(d);
    std::swap(order[last], order[last - 1]);
    input = moved(input, permute(input.dims, order), node.name());
    out = product(node, input, matrix, true, 1, {});
    out = moved(out, permute(out.dims, order), node.name());
    if (input_is_vector) out.dims.pop_back();
    if (is_vector) out.dims.erase(out.dims.end() - (input_is_vector ? 1 : 2));
  } else {
    out = product(node, input, matrix, false, 1, {});
    if (is_vector) out.dims.pop_back();
  }
  while (grows && out.dims.size() < rank) out.dims.insert(out.dims.begin(), 1);
  define(node, std::move(out));
}

void OnnxLowering::batch_normalization(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  if (node.integer("training_mode", 0) != 0)
    throw Unsupported{"it is in training mode; export in evaluation mode"};
  if (node.integer("spatial", 1) != 1) throw Unsupported{"spatial = 0 is not supported"};
  static constexpr const char* kNames[] = {"scale", "shift", "mean", "variance"};
  const Constant* parameters[4];
  const std::int64_t channels = input.dims.size() < 2 ? 1 : input.dims[1];
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i] = &constant_input(node, i + 1, kNames[i]);
    if (parameters[i]->is_integer || parameters[i]->size() != channels) {
      bad(node, fmt::format("has {} values as {}, not {}", parameters[i]->size(), kNames[i], channels));
    }
  }
  const double epsilon = node.number("epsilon", 1e-5);
  const auto plane = static_cast<std::size_t>(element_count(input.dims) / channels);
  std::vector<double> scale, shift;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const auto value = [&](int i) { return static_cast<double>(parameters[i]->floats[c]); };
    const double variance = value(3) + epsilon;
    if (!(variance > 0)) bad(node, fmt::format("has variance {} in channel {}", value(3), c));
    scale.insert(scale.end(), plane, value(0) / std::sqrt(variance));
    shift.insert(shift.end(), plane, value(1) - value(2) * scale.back());
  }
  if (!input.dims.empty() && input.dims[0] != 1) throw Unsupported{"it works on more than one image"};
  define(node, affine(input, scale, shift, node.name()));
}

/// ai.onnx.ml.Scaler: (x - offset) * scale, with one number or one for each feature.
void OnnxLowering::scaler(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const std::vector<double> offset = node.numbers("offset").value_or(std::vector<double>{0}),
                            factor = node.numbers("scale").value_or(std::vector<double>{1});
  const std::int64_t features = input.dims.empty() ? 1 : input.dims.back();
  for (const auto& list : {offset, factor}) {
    if (list.size() != 1 && std::ssize(list) != features)
      bad(node, fmt::format("has {} values for {} features", list.size(), features));
  }
  std::vector<double> scale, shift;
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(input.dims)); ++i) {
    const std::size_t k = i % static_cast<std::size_t>(features);
    scale.push_back(factor[factor.size() == 1 ? 0 : k]);
    shift.push_back(-offset[offset.size() == 1 ? 0 : k] * scale.back());
  }
  define(node, affine(input, scale, shift, node.name()));
}

}  // namespace ap::nn

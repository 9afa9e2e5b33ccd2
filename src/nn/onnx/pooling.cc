// Windows (kernel, stride, padding) and the pooling operators.
#include <algorithm>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

constexpr std::int64_t kMaxWindow = 1 << 20;

/// Padding in front and behind along one dimension.
struct Pads {
  std::int64_t before = 0, after = 0;
};

/// ONNX auto_pad SAME: the output has ceil(n / stride) positions; an odd element goes behind (UPPER) or in
/// front.
Pads same_padding(std::int64_t n, std::int64_t kernel, std::int64_t stride, bool upper) {
  const std::int64_t out = (n + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + kernel - n);
  const std::int64_t small = total / 2;
  return upper ? Pads{small, total - small} : Pads{total - small, small};
}

/// Padding behind that makes room for the last, partial window of ceil_mode. A window that would start in the
/// padding behind the data is not counted.
std::int64_t ceil_extension(std::int64_t n, std::int64_t kernel, std::int64_t stride, Pads pads) {
  const std::int64_t span = n + pads.before + pads.after - kernel;
  if (span < 0) return -span;
  const std::int64_t rest = span % stride;
  const std::int64_t next_start = span - rest + stride;
  if (rest == 0 || next_start >= n + pads.before) return 0;
  return stride - rest;
}

}  // namespace

std::vector<std::int64_t> OnnxLowering::spatial_dims(const OnnxNode& node, const Value& value) const {
  if (value.dims.size() != 3) {
    throw Unsupported{fmt::format(
        "its input has {} dimensions with the batch; only two-dimensional images (4) are supported",
        value.dims.size() + 1)};
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (value.dims[i] < 1) bad(node, "works on an empty tensor");
  }
  return value.dims;
}

Window OnnxLowering::window(const OnnxNode& node, std::int64_t kernel_h, std::int64_t kernel_w,
                            const std::vector<std::int64_t>& dims, bool ceil_mode) {
  const auto strides = node.integers("strides").value_or(std::vector<std::int64_t>{1, 1});
  auto pads = node.integers("pads").value_or(std::vector<std::int64_t>{0, 0, 0, 0});
  if (strides.size() != 2 || pads.size() != 4) bad(node, "does not have two strides and four pads");
  for (const std::int64_t v : {kernel_h, kernel_w, strides[0], strides[1]}) {
    if (v < 1 || v > kMaxWindow) bad(node, fmt::format("has a kernel or stride of {}", v));
  }
  for (const std::int64_t v : pads) {
    if (v < 0 || v > kMaxWindow) bad(node, fmt::format("has a padding of {}", v));
  }
  Pads vertical{pads[0], pads[2]}, horizontal{pads[1], pads[3]};
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    vertical = same_padding(dims[1], kernel_h, strides[0], auto_pad == "SAME_UPPER");
    horizontal = same_padding(dims[2], kernel_w, strides[1], auto_pad == "SAME_UPPER");
  } else if (auto_pad == "VALID") {
    vertical = horizontal = {};
  } else if (auto_pad != "NOTSET") {
    bad(node, "has an unknown auto_pad");
  }
  if (ceil_mode) {
    vertical.after += ceil_extension(dims[1], kernel_h, strides[0], vertical);
    horizontal.after += ceil_extension(dims[2], kernel_w, strides[1], horizontal);
  }
  if (kernel_h > dims[1] + vertical.before + vertical.after ||
      kernel_w > dims[2] + horizontal.before + horizontal.after) {
    bad(node, fmt::format("has a {}x{} window, larger than its padded {}x{} input", kernel_h, kernel_w,
                          dims[1], dims[2]));
  }
  const auto narrow = [](std::int64_t v) { return static_cast<int>(v); };
  return {narrow(kernel_h), narrow(kernel_w), narrow(strides[0]), narrow(strides[1]),
          Padding{narrow(vertical.before), narrow(horizontal.before), narrow(vertical.after),
                  narrow(horizontal.after)}};
}

namespace {

std::vector<std::int64_t> pooled_dims(const Window& w, const std::vector<std::int64_t>& dims) {
  return {dims[0], w.out_h(static_cast<int>(dims[1])), w.out_w(static_cast<int>(dims[2]))};
}

std::vector<std::int64_t> pool_kernel(const OnnxNode& node) {
  const auto dilations = node.integers("dilations");
  if (dilations && std::any_of(dilations->begin(), dilations->end(), [](std::int64_t d) { return d != 1; })) {
    throw Unsupported{"dilated pooling is not supported"};
  }
  const auto kernel = node.integers("kernel_shape");
  if (!kernel || kernel->size() != 2) throw Unsupported{"only pooling over two dimensions is supported"};
  return *kernel;
}

/// A window wholly in the padding has no elements to pool.
void check_pool_padding(const Window& w) {
  if (std::max(w.pad.top, w.pad.bottom) >= w.kernel_h || std::max(w.pad.left, w.pad.right) >= w.kernel_w) {
    throw Unsupported{"its padding is as wide as its window"};
  }
}

}  // namespace

void OnnxLowering::max_pool(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto dims = spatial_dims(node, input);
  const auto kernel = pool_kernel(node);
  const Window w = window(node, kernel[0], kernel[1], dims, node.integer("ceil_mode", 0) != 0);
  check_pool_padding(w);
  const auto out = pooled_dims(w, dims);
  checked_size(out, node.name());
  const int source = shaped(input);
  define(node, plain(node, add_node(node.name(), MaxPoolOp{w}, {source}, shape_of(out)), out));
}

void OnnxLowering::average_pool(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto dims = spatial_dims(node, input);
  const auto kernel = pool_kernel(node);
  const bool include_pad = node.integer("count_include_pad", 0) != 0;
  const bool ceil_mode = node.integer("ceil_mode", 0) != 0;
  const Window w = window(node, kernel[0], kernel[1], dims, ceil_mode);
  if (ceil_mode && include_pad && !(w == window(node, kernel[0], kernel[1], dims, false))) {
    throw Unsupported{"ceil_mode together with count_include_pad is not supported"};
  }
  check_pool_padding(w);
  const auto out = pooled_dims(w, dims);
  checked_size(out, node.name());
  const int source = shaped(input);
  define(node,
         plain(node, add_node(node.name(), AveragePoolOp{w, include_pad}, {source}, shape_of(out)), out));
}

void OnnxLowering::global_average_pool(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto dims = spatial_dims(node, input);
  Window w;
  w.kernel_h = static_cast<int>(dims[1]);
  w.kernel_w = static_cast<int>(dims[2]);
  const std::vector<std::int64_t> out = {dims[0], 1, 1};
  const int source = shaped(input);
  define(node, plain(node, add_node(node.name(), AveragePoolOp{w, false}, {source}, shape_of(out)), out));
}

/// Exporters write global average pooling as a mean over height and width.
void OnnxLowering::reduce_mean(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto axes = integer_list(node, "axes", 1);
  std::set<std::size_t> reduced;
  if (axes && input.dims.size() == 3) {
    for (const std::int64_t a : *axes) reduced.insert(image_axis(node, a, 3));
  }
  if (reduced != std::set<std::size_t>{1, 2})
    throw Unsupported{"only the mean over height and width is supported"};
  global_average_pool(node);
  Value& result = values_.at(node.output());
  if (node.integer("keepdims", 1) == 0) result.dims.resize(1);
}

}  // namespace ap::nn

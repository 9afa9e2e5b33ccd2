// Windows of convolution and pooling as ONNX declares them: kernel, stride, dilation, padding, auto_pad.
#include <algorithm>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

constexpr std::int64_t kMaxWindow = 1 << 20;

/// A list of one number for each spatial dimension; one-dimensional ones get `missing` as their height.
std::array<std::int64_t, 2> two_of(const OnnxNode& node, const char* name, const Dims& list, std::size_t rank,
                                   std::int64_t missing) {
  if (list.size() != rank) {
    fail_input("node {} ({}) has {} {} for {} spatial dimensions", node.name(), node.op(), list.size(), name,
               rank);
  }
  return rank == 1 ? std::array{missing, list[0]} : std::array{list[0], list[1]};
}

}  // namespace

Value OnnxLowering::spatial(const Value& value) const {
  Value out = value;
  // Three spatial dimensions, of which one has a single element, are two.
  if (out.dims.size() == 3) out.dims.insert(out.dims.begin() + 2, 1);
  if (out.dims.size() != 4) {
    throw Unsupported{fmt::format(
        "its input has {} dimensions with the batch; only signals (3) and images (4) are supported",
        value.dims.size())};
  }
  if (out.dims[0] != 1) {
    throw Unsupported{
        fmt::format("it works on {} images that are made from one; only one is supported", out.dims[0])};
  }
  return out;
}

Dims OnnxLowering::spatial_result(const Value& input, std::int64_t channels, const SpatialWindow& w) const {
  Dims out = {1, channels, w.out(0), w.out(1)};
  if (input.dims.size() == 3) out.erase(out.begin() + 2);
  return out;
}

SpatialWindow OnnxLowering::window(const OnnxNode& node, const Value& value, const Dims& kernel) {
  const std::size_t rank = value.dims.size() - 2;
  SpatialWindow w;
  w.in = {rank == 1 ? 1 : value.dims[2], value.dims.back()};
  w.kernel = two_of(node, "kernel sizes", kernel, rank, 1);
  w.stride = two_of(node, "strides", node.integers("strides").value_or(Dims(rank, 1)), rank, 1);
  w.dilation = two_of(node, "dilations", node.integers("dilations").value_or(Dims(rank, 1)), rank, 1);
  const Dims pads = node.integers("pads").value_or(Dims(2 * rank, 0));
  if (pads.size() != 2 * rank)
    bad(node, fmt::format("has {} pads for {} spatial dimensions", pads.size(), rank));
  const auto half = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  w.before = two_of(node, "pads", Dims(pads.begin(), half), rank, 0);
  w.after = two_of(node, "pads", Dims(half, pads.end()), rank, 0);
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  const bool upper = auto_pad == "SAME_UPPER", lower = auto_pad == "SAME_LOWER";
  if (!upper && !lower && auto_pad != "NOTSET" && auto_pad != "VALID") bad(node, "has an unknown auto_pad");
  for (std::size_t a = 0; a < 2; ++a) {
    for (const std::int64_t v : {w.kernel[a], w.stride[a], w.dilation[a]}) {
      if (v < 1 || v > kMaxWindow) bad(node, fmt::format("has a kernel, stride or dilation of {}", v));
    }
    for (const std::int64_t v : {w.before[a], w.after[a]}) {
      if (v < 0 || v > kMaxWindow) bad(node, fmt::format("has a padding of {}", v));
    }
    if (auto_pad == "VALID") w.before[a] = w.after[a] = 0;
    if (!upper && !lower) continue;
    // SAME: the output has ceil(n / stride) positions; an odd element goes behind (UPPER) or in front.
    const std::int64_t out = (w.in[a] + w.stride[a] - 1) / w.stride[a];
    const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * w.stride[a] + w.extent(a) - w.in[a]);
    w.before[a] = upper ? total / 2 : total - total / 2;
    w.after[a] = total - w.before[a];
  }
  if (rank == 1) w.before[0] = w.after[0] = 0;
  for (std::size_t a = 0; a < 2 && node.op() != "ConvTranspose"; ++a) {
    const std::int64_t span = w.in[a] + w.before[a] + w.after[a] - w.extent(a);
    if (node.integer("ceil_mode", 0) != 0) {
      // A window that would start in the padding behind the data is not counted.
      const std::int64_t rest = span < 0 ? 0 : span % w.stride[a];
      if (span < 0) {
        w.extension[a] = -span;
      } else if (rest != 0 && span - rest + w.stride[a] < w.in[a] + w.before[a]) {
        w.extension[a] = w.stride[a] - rest;
      }
    }
    if (span + w.extension[a] < 0) {
      bad(node, fmt::format("has a {}x{} window, larger than its padded {}x{} input", w.extent(0),
                            w.extent(1), w.in[0], w.in[1]));
    }
  }
  return w;
}

}  // namespace ap::nn

#include "nn/onnx/resize.h"

#include <algorithm>
#include <cmath>

#include "nn/ir/graph.h"

namespace ap::nn {
namespace {

struct Axis {
  std::int64_t in = 1, out = 1;
  double scale = 1;
};

/// The place in the input, between elements, of element i of the output.
double original(const Axis& a, std::int64_t i, const std::string& mode) {
  const auto x = static_cast<double>(i);
  const auto in = static_cast<double>(a.in), out = static_cast<double>(a.out);
  if (mode == "asymmetric") return x / a.scale;
  if (mode == "align_corners") return a.out == 1 ? 0 : x * (in - 1) / (out - 1);
  if (mode == "pytorch_half_pixel") return a.out > 1 ? (x + 0.5) / a.scale - 0.5 : 0;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (mode == "half_pixel_symmetric") {
    const double adjustment = out / (a.scale * in), center = in / 2;
    return center * (1 - adjustment) + (x + 0.5) / a.scale - 0.5;
  }
  if (mode == "half_pixel") return (x + 0.5) / a.scale - 0.5;
  throw Unsupported{"its coordinate_transformation_mode is not supported; use half_pixel or asymmetric"};
}

double nearest(double x, const std::string& mode) {
  // Quotients of whole numbers may miss a half or a whole by an ulp.
  constexpr double kTiny = 1e-9;
  if (mode == "floor") return std::floor(x + kTiny);
  if (mode == "ceil") return std::ceil(x - kTiny);
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5 - kTiny);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5 + kTiny);
  throw Unsupported{"its nearest_mode is not known"};
}

std::vector<double> scales_of(const Arguments& args) {
  if (const auto attribute = args.node.numbers("scales")) return *attribute;
  if (args.node.has("height_scale") || args.node.has("width_scale")) {
    return {1, 1, args.node.number("height_scale", 1), args.node.number("width_scale", 1)};
  }
  const bool is_old = args.node.op() == "Upsample" || (args.node.input_count() == 2 && args.model.opset < 11);
  const std::size_t at = is_old ? 1 : 2;
  if (!args.has_input(at)) return {};
  const Constant& c = args.required(at, "scales");
  std::vector<double> out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.size()); ++i) out.push_back(c.at(i));
  return out;
}

/// The sizes and scales that the node asks for.
std::vector<Axis> resized_axes(const Arguments& args, const Dims& dims, bool is_computed) {
  const OnnxNode& node = args.node;
  std::vector<Axis> axes;
  for (const std::int64_t d : dims) axes.push_back({d, d, 1});
  std::vector<std::size_t> which;
  if (const auto list = node.integers("axes")) {
    for (const std::int64_t a : *list) which.push_back(args.axis(a, dims.size()));
  } else {
    for (std::size_t d = 0; d < dims.size(); ++d) which.push_back(d);
  }
  const std::vector<double> scales = scales_of(args);
  const bool by_size = scales.empty() && args.has_input(3);
  const Dims sizes = by_size ? args.integers("sizes", 3).value_or(Dims{}) : Dims{};
  if ((by_size ? sizes.size() : scales.size()) != which.size()) {
    args.bad("does not have one scale or size for each dimension");
  }
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    throw Unsupported{"its keep_aspect_ratio_policy is not supported"};
  }
  for (std::size_t k = 0; k < which.size(); ++k) {
    Axis& a = axes[which[k]];
    if (by_size) {
      a.out = is_computed && which[k] == 0 && sizes[k] == args.model.batch ? 1 : sizes[k];
      a.scale = static_cast<double>(a.out) / static_cast<double>(a.in);
    } else {
      if (!(scales[k] > 0) || scales[k] > 1e6) args.bad("has a scale that is not positive");
      a.scale = scales[k];
      a.out = static_cast<std::int64_t>(std::floor(static_cast<double>(a.in) * a.scale + 1e-6));
    }
    if (a.out < 1 || a.out > kMaxTensorElements) args.bad(fmt::format("resizes to {}", a.out));
  }
  return axes;
}

/// Before opset 11 there was one rule, that of the first scales.
bool is_old(const Arguments& args) {
  return args.node.op() == "Upsample" || (args.model.opset > 0 && args.model.opset < 11);
}

}  // namespace

std::vector<Dims> resize_places(const Arguments& args, const Dims& dims, bool is_computed) {
  const OnnxNode& node = args.node;
  const std::vector<Axis> axes = resized_axes(args, dims, is_computed);
  const bool changes = std::any_of(axes.begin(), axes.end(), [](const Axis& a) { return a.in != a.out; });
  const std::string kind = node.text("mode", "nearest");
  if (changes && kind != "nearest") {
    throw Unsupported{"of its modes nearest and linear are supported"};
  }
  const std::string mode =
      is_old(args) ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = is_old(args) ? "floor" : node.text("nearest_mode", "round_prefer_floor");
  std::vector<Dims> out;
  for (const Axis& a : axes) {
    Dims places;
    for (std::int64_t i = 0; i < a.out; ++i) {
      if (a.in == a.out && !changes) {
        places.push_back(i);
        continue;
      }
      const double x =
          a.in == a.out && a.scale == 1 ? static_cast<double>(i) : nearest(original(a, i, mode), rounding);
      places.push_back(std::clamp<std::int64_t>(static_cast<std::int64_t>(x), 0, a.in - 1));
    }
    out.push_back(std::move(places));
  }
  return out;
}

bool is_linear_resize(const OnnxNode& node) {
  const std::string mode = node.text("mode", "nearest");
  return (node.op() == "Resize" || node.op() == "Upsample") && (mode == "linear" || mode == "bilinear");
}

std::vector<std::vector<float>> resize_matrices(const Arguments& args, const Dims& dims) {
  if (args.node.integer("antialias", 0) != 0 || args.node.integer("exclude_outside", 0) != 0) {
    throw Unsupported{"antialias and exclude_outside are not supported"};
  }
  const std::string mode =
      is_old(args) ? "asymmetric" : args.node.text("coordinate_transformation_mode", "half_pixel");
  std::vector<std::vector<float>> out;
  for (const Axis& a : resized_axes(args, dims, true)) {
    std::vector<float> matrix;
    if (a.in != a.out) {
      checked_size({a.in, a.out}, args.node.name());
      matrix.assign(static_cast<std::size_t>(a.in * a.out), 0.0F);
      for (std::int64_t i = 0; i < a.out; ++i) {
        // Outside of the image, the element at its border counts.
        const double x = std::clamp(original(a, i, mode), 0.0, static_cast<double>(a.in - 1));
        const auto left = std::min(static_cast<std::int64_t>(x), std::max<std::int64_t>(a.in - 2, 0));
        const double right_share = x - static_cast<double>(left);
        matrix[static_cast<std::size_t>(i * a.in + left)] += static_cast<float>(1 - right_share);
        if (right_share > 0)
          matrix[static_cast<std::size_t>(i * a.in + left + 1)] += static_cast<float>(right_share);
      }
    }
    out.push_back(std::move(matrix));
  }
  return out;
}

}  // namespace ap::nn

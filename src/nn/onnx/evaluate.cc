#include "nn/onnx/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/error.h"
#include "nn/ir/graph.h"
#include "nn/onnx/evaluate_elementwise.h"
#include "nn/onnx/movement.h"

namespace ap::nn {
namespace {

using Inputs = std::span<const Constant* const>;

Constant integer_list(Dims values) {
  Constant out;
  out.is_integer = true;
  out.dims = {static_cast<std::int64_t>(values.size())};
  out.integers = std::move(values);
  return out;
}

Constant cast(const Constant& a, std::int64_t type) {
  const bool to_integer_type = is_integer_type(static_cast<int>(type));
  const bool to_float_type = type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::DOUBLE ||
                             type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16;
  if (!to_integer_type && !to_float_type) {
    throw Unsupported{
        fmt::format("it casts to {}", type_name(static_cast<int>(std::clamp<std::int64_t>(type, -1, 99))))};
  }
  Constant out = like(a, a.dims);
  out.is_integer = to_integer_type;
  out.type = static_cast<int>(type);
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size()); ++i) {
    if (type == onnx::TensorProto::BOOL) {
      out.integers.push_back(a.at(i) != 0 ? 1 : 0);
    } else if (to_integer_type) {
      out.integers.push_back(a.is_integer ? a.integers[i] : to_integer(a.at(i)));
    } else {
      out.floats.push_back(static_cast<float>(a.at(i)));
    }
  }
  return out;
}

Constant concat(const Arguments& args, Inputs inputs) {
  if (!args.node.has("axis")) args.bad("has no axis");
  std::size_t first = 0;
  // An empty list joins anything.
  while (first + 1 < inputs.size() && inputs[first]->size() == 0) ++first;
  const Dims& like_dims = inputs[first]->dims;
  if (like_dims.empty()) args.bad("concatenates single numbers");
  const std::size_t axis = args.axis(args.node.integer("axis", 0), like_dims.size());
  Constant out = like(*inputs[first], like_dims);
  out.dims[axis] = 0;
  std::int64_t outer = 1;
  for (std::size_t d = 0; d < axis; ++d) outer *= like_dims[d];
  std::vector<const Constant*> parts;
  std::int64_t total = 0;
  for (const Constant* part : inputs) {
    if (part->size() == 0) continue;
    if (part->is_integer != out.is_integer) throw Unsupported{"it joins integers with other numbers"};
    Dims dims = part->dims;
    if (dims.size() != like_dims.size()) args.bad("concatenates tensors of different ranks");
    out.dims[axis] += dims[axis];
    total += part->size();
    dims[axis] = like_dims[axis];
    if (dims != like_dims || total > kMaxFoldedElements)
      args.bad("concatenates tensors whose other dimensions differ");
    parts.push_back(part);
  }
  const auto join = [&](auto member) {
    for (std::int64_t o = 0; o < outer; ++o) {
      for (const Constant* part : parts) {
        const auto& from = (*part).*member;
        const std::ptrdiff_t run = std::ssize(from) / outer;
        (out.*member).insert((out.*member).end(), from.begin() + o * run, from.begin() + (o + 1) * run);
      }
    }
  };
  if (out.is_integer) {
    join(&Constant::integers);
  } else {
    join(&Constant::floats);
  }
  return out;
}

Constant constant_of_shape(const Arguments& args, const Constant& shape) {
  Constant value;
  value.floats = {0};
  if (const auto* a = args.node.find("value"))
    value = read_tensor(a->t(), args.node.name(), args.model.folder);
  if (value.size() != 1 || !shape.is_integer) args.bad("does not have one value and a shape of integers");
  std::int64_t count = 1;
  for (const std::int64_t d : shape.integers) {
    if (d < 0 || (d > 0 && count > kMaxFoldedElements / d)) args.bad(fmt::format("has a dimension of {}", d));
    count *= d;
  }
  Constant out = like(value, shape.integers);
  if (value.is_integer) {
    out.integers.assign(static_cast<std::size_t>(count), value.integers[0]);
  } else {
    out.floats.assign(static_cast<std::size_t>(count), value.floats[0]);
  }
  return out;
}

Constant range(const Arguments& args, Inputs inputs) {
  for (const Constant* c : inputs) {
    if (!c || c->size() != 1) args.bad("does not have a single number as start, limit and step");
  }
  const double start = inputs[0]->at(0), limit = inputs[1]->at(0), step = inputs[2]->at(0);
  const double count = std::max(0.0, std::ceil((limit - start) / step));
  if (step == 0 || !(count <= static_cast<double>(kMaxFoldedElements))) args.bad("counts too far");
  Constant out = like(*inputs[0], {static_cast<std::int64_t>(count)});
  for (std::int64_t i = 0; i < out.dims[0]; ++i) {
    if (out.is_integer) {
      out.integers.push_back(inputs[0]->integers[0] + i * inputs[2]->integers[0]);
    } else {
      out.floats.push_back(static_cast<float>(start + static_cast<double>(i) * step));
    }
  }
  return out;
}

Constant where(const Constant& condition, const Constant& a, const Constant& b) {
  const Dims dims = broadcast_dims(condition.dims, broadcast_dims(a.dims, b.dims));
  if (checked_size(dims, "a constant") > kMaxFoldedElements)
    throw Unsupported{"its constant is too large to be computed with"};
  const Constant c = move(condition, broadcast(condition.dims, dims)), x = move(a, broadcast(a.dims, dims)),
                 y = move(b, broadcast(b.dims, dims));
  Constant out = like(a, dims);
  out.is_integer = a.is_integer && b.is_integer;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.size()); ++i) {
    const Constant& from = c.at(i) != 0 ? x : y;
    if (out.is_integer) {
      out.integers.push_back(from.integers[i]);
    } else {
      out.floats.push_back(static_cast<float>(from.at(i)));
    }
  }
  return out;
}

Constant reduced(const Arguments& args, const Constant& c) {
  const std::string& op = args.node.op();
  const auto list = args.integers("axes", 1);
  std::vector<bool> gone(c.dims.size(), !list || list->empty());
  if (list && list->empty() && args.node.integer("noop_with_empty_axes", 0) != 0) return c;
  for (const std::int64_t a : list.value_or(Dims{})) gone[args.axis(a, c.dims.size())] = true;
  std::vector<std::size_t> order;
  Dims kept, out_dims;
  std::int64_t outer = 1;
  for (std::size_t d = 0; d < c.dims.size(); ++d) {
    if (gone[d]) continue;
    order.push_back(d);
    kept.push_back(c.dims[d]);
    outer *= c.dims[d];
  }
  for (std::size_t d = 0; d < c.dims.size(); ++d) {
    if (gone[d]) order.push_back(d);
    if (!gone[d] || args.node.integer("keepdims", 1) != 0) out_dims.push_back(gone[d] ? 1 : c.dims[d]);
  }
  if (c.size() == 0) throw Unsupported{"it reduces an empty constant"};
  const Constant turned = move(c, permute(c.dims, order));
  const std::int64_t inner = c.size() / outer;
  Constant out = like(c, out_dims);
  for (std::int64_t o = 0; o < outer; ++o) {
    double total = turned.at(static_cast<std::size_t>(o * inner));
    for (std::int64_t i = 1; i < inner; ++i) {
      const double v = turned.at(static_cast<std::size_t>(o * inner + i));
      if (op == "ReduceProd") {
        total *= v;
      } else if (op == "ReduceMax") {
        total = std::max(total, v);
      } else if (op == "ReduceMin") {
        total = std::min(total, v);
      } else {
        total += v;
      }
    }
    if (op == "ReduceMean") total /= static_cast<double>(inner);
    if (c.is_integer) {
      out.integers.push_back(to_integer(total));
    } else {
      out.floats.push_back(static_cast<float>(total));
    }
  }
  return out;
}

Constant matrix_product(const Arguments& args, const Constant& a, const Constant& b) {
  if (a.is_integer || b.is_integer || a.dims.size() != 2 || b.dims.size() != 2 || a.dims[1] != b.dims[0]) {
    throw Unsupported{"on constants it multiplies two float matrices"};
  }
  const std::int64_t m = a.dims[0], k = a.dims[1], n = b.dims[1];
  if (k > 0 && m * n > (std::int64_t{1} << 32) / k)
    throw Unsupported{"its constants are too large to be multiplied"};
  checked_size({m, n}, args.node.name());
  Constant out = like(a, {m, n});
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        sum += a.at(static_cast<std::size_t>(i * k + l)) * b.at(static_cast<std::size_t>(l * n + j));
      }
      out.floats.push_back(static_cast<float>(sum));
    }
  }
  return out;
}

Constant clipped(const Arguments& args, const Constant& c) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double low = args.number("min", 1, -kInfinity), high = args.number("max", 2, kInfinity);
  Constant out = c;
  for (float& v : out.floats) v = static_cast<float>(std::min(std::max(static_cast<double>(v), low), high));
  for (std::int64_t& v : out.integers) v = to_integer(std::min(std::max(static_cast<double>(v), low), high));
  return out;
}

Constant quantised(const Arguments& args, const Constant& x, const Constant& scale,
                   const Constant* zero_point) {
  if (scale.size() != 1 || !(scale.at(0) > 0)) throw Unsupported{"on constants it has one positive scale"};
  const bool is_signed = zero_point && zero_point->type == onnx::TensorProto::INT8;
  const double zero = zero_point ? zero_point->at(0) : 0;
  Constant out = like(x, x.dims);
  out.is_integer = true;
  out.type = is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i) {
    const double q = half_to_even(x.at(i) / scale.at(0)) + zero;
    out.integers.push_back(to_integer(std::clamp(q, is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0)));
  }
  (void)args;
  return out;
}

bool is_reduction(const std::string& op) {
  return op == "ReduceProd" || op == "ReduceSum" || op == "ReduceMean" || op == "ReduceMax" ||
         op == "ReduceMin";
}

const std::unordered_set<std::string>& other_operators() {
  static const std::unordered_set<std::string> kNames = {
      "Cast",   "CastLike", "Concat", "ConstantOfShape",  "Range",          "Where",
      "MatMul", "Clip",     "Shape",  "DequantizeLinear", "QuantizeLinear", "Size"};
  return kNames;
}

}  // namespace

Constant dequantised(const Arguments& args, const Constant& x, const Constant& scale,
                     const Constant* zero_point, std::int64_t given_axis) {
  if (scale.is_integer || scale.size() < 1) args.bad("has a scale that is no number");
  if (zero_point && zero_point->size() != scale.size())
    args.bad("has zero points and scales of different numbers");
  if (args.node.integer("block_size", 0) != 0)
    throw Unsupported{"scales for blocks of weights are not supported"};
  std::size_t axis = 0;
  std::int64_t run = std::max<std::int64_t>(x.size(), 1), count = 1;
  if (scale.size() > 1) {
    axis = args.axis(given_axis, x.dims.size());
    count = x.dims[axis];
    if (count != scale.size()) args.bad(fmt::format("has {} scales for {} places", scale.size(), count));
    run = 1;
    for (std::size_t d = axis + 1; d < x.dims.size(); ++d) run *= x.dims[d];
  }
  Constant out = like(x, x.dims);
  out.is_integer = false;
  out.type = onnx::TensorProto::FLOAT;
  out.floats.reserve(static_cast<std::size_t>(x.size()));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto k = static_cast<std::size_t>(i / run % count);
    const double zero = zero_point ? zero_point->at(k) : 0;
    out.floats.push_back(static_cast<float>((x.at(static_cast<std::size_t>(i)) - zero) * scale.at(k)));
  }
  return out;
}

Constant constant_node(const Arguments& args) {
  const OnnxNode& node = args.node;
  Constant out;
  out.name = node.name();
  if (const auto* a = node.find("value")) return read_tensor(a->t(), node.name(), args.model.folder);
  if (node.has("value_float")) {
    out.floats = {static_cast<float>(node.number("value_float", 0))};
  } else if (node.has("value_int")) {
    out.integers = {node.integer("value_int", 0)};
    out.is_integer = true;
  } else if (auto list = node.integers("value_ints")) {
    out = integer_list(std::move(*list));
  } else if (auto numbers = node.numbers("value_floats")) {
    for (const double v : *numbers) out.floats.push_back(static_cast<float>(v));
    out.dims = {out.size()};
  } else {
    throw Unsupported{"only constants of numbers are supported"};
  }
  return out;
}

Constant shape_node(const Arguments& args, const Dims& dims) {
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto bound = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const std::int64_t start = bound(std::max(args.node.integer("start", 0), -rank));
  const std::int64_t end = bound(std::max(args.node.integer("end", rank), -rank - 1));
  return integer_list(start < end ? Dims(dims.begin() + start, dims.begin() + end) : Dims{});
}

bool is_evaluated(const std::string& op) {
  return is_pair_operator(op) || is_function(op) || is_reduction(op) || other_operators().contains(op);
}

Constant evaluate(const Arguments& args, Inputs inputs) {
  const std::string& op = args.node.op();
  const auto need = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= inputs.size() || !inputs[i]) args.bad(fmt::format("lacks its input {}", i));
    }
  };
  need(1);
  const auto optional = [&](std::size_t i) { return i < inputs.size() ? inputs[i] : nullptr; };
  if (is_function(op)) return evaluate_function(op, *inputs[0]);
  if (is_pair_operator(op)) {
    need(inputs.size());
    const bool is_mean = op == "Mean";
    Constant sum = *inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i)
      sum = evaluate_pair(is_mean ? "Sum" : op, args, sum, *inputs[i]);
    if (is_mean) {
      for (float& v : sum.floats) v /= static_cast<float>(inputs.size());
    }
    return sum;
  }
  if (is_reduction(op)) return reduced(args, *inputs[0]);
  if (op == "Cast") return cast(*inputs[0], args.node.integer("to", 0));
  if (op == "Shape") return shape_node(args, inputs[0]->dims);
  if (op == "Size") {
    Constant out = integer_list({inputs[0]->size()});
    out.dims.clear();
    return out;
  }
  if (op == "ConstantOfShape") return constant_of_shape(args, *inputs[0]);
  if (op == "Clip") return clipped(args, *inputs[0]);
  if (op == "Concat") {
    need(inputs.size());
    return concat(args, inputs);
  }
  need(2);
  if (op == "CastLike")
    return cast(*inputs[0], inputs[1]->type != 0 ? inputs[1]->type : onnx::TensorProto::FLOAT);
  if (op == "MatMul") return matrix_product(args, *inputs[0], *inputs[1]);
  if (op == "DequantizeLinear") {
    return dequantised(args, *inputs[0], *inputs[1], optional(2), args.node.integer("axis", 1));
  }
  if (op == "QuantizeLinear") return quantised(args, *inputs[0], *inputs[1], optional(2));
  need(3);
  if (op == "Range") return range(args, inputs);
  AP_ASSERT(op == "Where");
  return where(*inputs[0], *inputs[1], *inputs[2]);
}

}  // namespace ap::nn

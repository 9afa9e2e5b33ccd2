#include "nn/onnx/arguments.h"

#include "base/error.h"
#include "nn/ir/graph.h"

namespace ap::nn {

std::int64_t checked_size(const Dims& dims, const std::string& where) {
  std::int64_t count = 1;
  for (const std::int64_t d : dims) {
    if (d < 1 || d > kMaxTensorElements / count) {
      fail_input("{} makes a tensor with a dimension of {}; at least 1 and at most {} elements are allowed",
                 where, d, kMaxTensorElements);
    }
    count *= d;
  }
  return count;
}

void Arguments::bad(const std::string& what) const {
  fail_input("{}: node {} ({}) {}", model.name, node.name(), node.op(), what);
}

const Constant& Arguments::required(std::size_t i, const char* what) const {
  if (!has_input(i)) bad(fmt::format("lacks its input {} ({})", i, what));
  try {
    return constant(i);
  } catch (const Unsupported&) {
    throw Unsupported{fmt::format("its {} must be a constant, but is computed from the image", what)};
  }
}

std::optional<Dims> Arguments::integers(const char* attribute, std::size_t i) const {
  if (auto list = node.integers(attribute)) return list;
  if (!has_input(i)) return std::nullopt;
  const Constant& c = required(i, attribute);
  if (!c.is_integer || c.dims.size() > 1)
    bad(fmt::format("has {} that are not a list of integers", attribute));
  return c.integers;
}

double Arguments::number(const char* attribute, std::size_t i, double fallback) const {
  if (!has_input(i)) return attribute ? node.number(attribute, fallback) : fallback;
  const char* what = attribute ? attribute : "second factor";
  const Constant& c = required(i, what);
  if (c.size() != 1) throw Unsupported{fmt::format("its {} is not a single number", what)};
  return c.at(0);
}

std::size_t Arguments::axis(std::int64_t axis, std::size_t rank) const {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) bad(fmt::format("has axis {} of a tensor of {} dimensions", axis, r));
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

}  // namespace ap::nn

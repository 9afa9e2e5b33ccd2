#include "nn/onnx/movement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "nn/ir/graph.h"
#include "nn/onnx/resize.h"

namespace ap::nn {
namespace {

std::int64_t product(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

Dims count_up(std::int64_t n) {
  Dims out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::vector<Dims> identity_axes(const Dims& dims) {
  std::vector<Dims> out;
  for (const std::int64_t d : dims) out.push_back(count_up(d));
  return out;
}

/// What the plans below work on.
struct Task {
  const Arguments& args;
  const Dims& dims;
  bool is_computed;
  std::size_t rank() const { return dims.size(); }
  const OnnxNode& node() const { return args.node; }
  /// A list of axes without repeats.
  std::set<std::size_t> axes(const Dims& list, std::size_t rank) const {
    std::set<std::size_t> out;
    for (const std::int64_t a : list) {
      if (!out.insert(args.axis(a, rank)).second) args.bad("has the same axis twice");
    }
    return out;
  }
  /// The dimensions of another shape of as many elements.
  Movement view(Dims to) const {
    const std::int64_t before = checked_size(dims, node().name());
    if (const std::int64_t after = checked_size(to, node().name()); after != before) {
      args.bad(fmt::format("reshapes {} elements into {}", before, after));
    }
    return {std::move(to), std::nullopt};
  }
  /// A batch that the file fixes, in a list of sizes, is read as the one image that there is.
  bool is_batch(std::int64_t d) const { return is_computed && args.model.batch > 1 && d == args.model.batch; }
};

using Plans = std::vector<Movement>;

Plans identity(const Task& t) {
  if (t.node().op() == "Dropout" && t.args.has_input(2) && t.args.required(2, "training_mode").at(0) != 0) {
    throw Unsupported{"it is in training mode; export in evaluation mode"};
  }
  return {{t.dims, std::nullopt}};
}

Plans flatten(const Task& t) {
  const std::int64_t given = t.node().integer("axis", 1);
  const std::size_t axis =
      given == static_cast<std::int64_t>(t.rank()) ? t.rank() : t.args.axis(given, t.rank());
  const auto middle = t.dims.begin() + static_cast<std::ptrdiff_t>(axis);
  return {t.view({product(Dims(t.dims.begin(), middle)), product(Dims(middle, t.dims.end()))})};
}

Plans reshape(const Task& t) {
  auto target = t.args.integers("shape", 1);
  if (!target) throw Unsupported{"its shape is missing"};
  const bool keep_zero = t.node().integer("allowzero", 0) == 0;
  const std::int64_t size = checked_size(t.dims, t.node().name());
  Dims to = *target;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && keep_zero && i < t.rank()) to[i] = t.dims[i];
  }
  if (!to.empty() && t.is_batch(to[0])) to[0] = 1;
  std::int64_t known = 1;
  for (const std::int64_t d : to) {
    if (d == -1) continue;
    if (d < 1 || d > kMaxTensorElements * 16 / known)
      t.args.bad(fmt::format("reshapes to a dimension of {}", d));
    known *= d;
  }
  const auto open = std::count(to.begin(), to.end(), -1);
  if (open > 1) t.args.bad("has a shape with more than one -1");
  // Sizes that were written down for a batch of images.
  if (open == 0 && t.is_computed && known != size && known % size == 0 && to[0] % (known / size) == 0) {
    to[0] /= known / size;
    known = size;
  }
  if (open == 1) {
    if (size % known != 0 && t.is_computed && to[0] > 1 && size % (known / to[0]) == 0) {
      known /= to[0];
      to[0] = 1;
    }
    if (size % known != 0) t.args.bad(fmt::format("cannot reshape {} elements to this shape", size));
    std::replace(to.begin(), to.end(), std::int64_t{-1}, size / known);
  }
  return {t.view(std::move(to))};
}

Plans squeeze(const Task& t) {
  const auto list = t.args.integers("axes", 1);
  Dims to;
  if (!list) {
    std::copy_if(t.dims.begin(), t.dims.end(), std::back_inserter(to), [](std::int64_t d) { return d != 1; });
    return {t.view(std::move(to))};
  }
  const std::set<std::size_t> removed = t.axes(*list, t.rank());
  for (std::size_t i = 0; i < t.rank(); ++i) {
    if (!removed.contains(i)) to.push_back(t.dims[i]);
  }
  return {t.view(std::move(to))};
}

Plans unsqueeze(const Task& t) {
  const auto list = t.args.integers("axes", 1);
  if (!list || list->size() > 8) throw Unsupported{"it needs one to eight axes"};
  const std::size_t rank = t.rank() + list->size();
  const std::set<std::size_t> added = t.axes(*list, rank);
  Dims to;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) to.push_back(added.contains(i) ? 1 : t.dims[next++]);
  return {t.view(std::move(to))};
}

Plans transpose(const Task& t) {
  std::vector<std::size_t> order;
  if (const auto given = t.node().integers("perm")) {
    for (const std::int64_t a : *given) order.push_back(t.args.axis(a, t.rank()));
    if (std::set<std::size_t>(order.begin(), order.end()).size() != t.rank() || order.size() != t.rank()) {
      t.args.bad("has a perm that is no permutation");
    }
  } else {
    for (std::size_t i = t.rank(); i-- > 0;) order.push_back(i);
  }
  return {permute(t.dims, order)};
}

/// The places that a slice of n elements reads, by numpy's rule: negative bounds count from the end, then both are
/// clamped to where a step can land.
Dims sliced(std::int64_t n, std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto bound = [&](std::int64_t v, std::int64_t low, std::int64_t high) {
    return std::clamp(v < 0 ? std::max(v, -kMaxTensorElements * 2) + n : v, low, high);
  };
  const std::int64_t first = step > 0 ? bound(start, 0, n) : bound(start, 0, n - 1);
  const std::int64_t last = step > 0 ? bound(end, 0, n) : bound(end, -1, n - 1);
  Dims out;
  for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step) out.push_back(i);
  return out;
}

Plans slice(const Task& t) {
  const auto starts = t.args.integers("starts", 1), ends = t.args.integers("ends", 2);
  if (!starts || !ends || starts->size() != ends->size())
    t.args.bad("has no starts and ends of equal length");
  const auto count = static_cast<std::int64_t>(starts->size());
  const Dims axes = t.args.integers("axes", 3).value_or(count_up(count));
  const Dims steps = t.args.integers("steps", 4).value_or(Dims(starts->size(), 1));
  if (axes.size() != starts->size() || steps.size() != starts->size()) {
    t.args.bad("has starts, axes and steps of different lengths");
  }
  std::vector<Dims> source = identity_axes(t.dims);
  std::set<std::size_t> seen;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::size_t d = t.args.axis(axes[k], t.rank());
    const std::int64_t step = steps[k];
    if (step == 0 || step < -kMaxTensorElements || step > kMaxTensorElements || !seen.insert(d).second) {
      t.args.bad(fmt::format("has step {} or the same axis twice", step));
    }
    source[d] = sliced(t.dims[d], (*starts)[k], (*ends)[k], step);
    if (t.is_computed && t.args.model.batch > 1 && d == 0 && t.dims[0] == 1 && source[0] != Dims{0}) {
      throw Unsupported{"it takes images of a batch apart"};
    }
  }
  return {move_per_axis(t.dims, source, t.node().name())};
}

Plans gather(const Task& t) {
  const Constant& places = t.args.required(1, "indices");
  if (!places.is_integer) throw Unsupported{"its indices are not integers"};
  if (t.rank() == 0) t.args.bad("picks from a single number");
  const std::size_t axis = t.args.axis(t.node().integer("axis", 0), t.rank());
  const std::int64_t n = t.dims[axis];
  std::vector<Dims> source = identity_axes(t.dims);
  source[axis].clear();
  for (const std::int64_t place : places.integers) {
    if (place < -n || place >= n) t.args.bad(fmt::format("reads place {} of {}", place, n));
    source[axis].push_back(place < 0 ? place + n : place);
  }
  Movement out = move_per_axis(t.dims, source, t.node().name());
  const auto at = static_cast<std::ptrdiff_t>(axis);
  out.dims.erase(out.dims.begin() + at);
  out.dims.insert(out.dims.begin() + at, places.dims.begin(), places.dims.end());
  return {std::move(out)};
}

/// The coordinate that position i of a padded dimension of n elements reads: outside of [0, n) as the mode says.
std::int64_t padded_place(std::int64_t i, std::int64_t n, const std::string& mode) {
  if (i >= 0 && i < n) return i;
  if (mode == "edge") return std::clamp<std::int64_t>(i, 0, n - 1);
  if (mode == "wrap") return ((i % n) + n) % n;
  if (mode != "reflect") return -1;
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1), at = ((i % period) + period) % period;
  return at < n ? at : period - at;
}

Plans pad(const Task& t) {
  const std::string mode = t.node().text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    throw Unsupported{fmt::format("its mode {} is not known", printable_name(mode))};
  }
  const double fill = t.args.number("value", 2, 0);
  auto given = t.args.integers("pads", 1);
  if (!given) given = t.node().integers("paddings");
  const Dims axes = t.args.integers("axes", 3).value_or(count_up(static_cast<std::int64_t>(t.rank())));
  if (!given || given->size() != 2 * axes.size()) {
    t.args.bad(fmt::format("does not have two pads for each of {} axes", axes.size()));
  }
  std::vector<Dims> source = identity_axes(t.dims);
  std::set<std::size_t> seen;
  Dims to = t.dims;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::size_t d = t.args.axis(axes[k], t.rank());
    const std::int64_t front = (*given)[k], back = (*given)[k + axes.size()], n = t.dims[d];
    if (!seen.insert(d).second) t.args.bad("has the same axis twice");
    for (const std::int64_t v : {front, back}) {
      if (v < -kMaxTensorElements || v > kMaxTensorElements)
        t.args.bad(fmt::format("has a padding of {}", v));
    }
    to[d] = n + front + back;
    checked_size(to, t.node().name());
    source[d].clear();
    for (std::int64_t i = -front; i < n + back; ++i) source[d].push_back(padded_place(i, n, mode));
  }
  return {move_per_axis(t.dims, source, t.node().name(), fill)};
}

Plans expand(const Task& t) {
  const auto shape = t.args.integers("shape", 1);
  if (!shape) throw Unsupported{"its shape is missing"};
  Dims to = *shape;
  for (const std::int64_t d : to) {
    if (d < 1 || d > kMaxTensorElements) t.args.bad(fmt::format("expands to a dimension of {}", d));
  }
  if (!to.empty() && t.is_batch(to[0])) to[0] = 1;
  const Dims joined = broadcast_dims(t.dims, to);
  checked_size(joined, t.node().name());
  return {broadcast(t.dims, joined)};
}

Plans tile(const Task& t) {
  const auto repeats = t.args.integers("repeats", 1);
  if (!repeats || repeats->size() != t.rank()) t.args.bad("does not have one repeat for each dimension");
  Dims to = t.dims;
  for (std::size_t d = 0; d < t.rank(); ++d) {
    const std::int64_t r = (*repeats)[d];
    if (r < 1 || r > kMaxTensorElements / t.dims[d]) t.args.bad(fmt::format("repeats {} times", r));
    to[d] *= r;
  }
  checked_size(to, t.node().name());
  std::vector<Dims> source(t.rank());
  for (std::size_t d = 0; d < t.rank(); ++d) {
    for (std::int64_t i = 0; i < to[d]; ++i) source[d].push_back(i % t.dims[d]);
  }
  return {move_per_axis(t.dims, source, t.node().name())};
}

Plans split(const Task& t) {
  const std::size_t axis = t.args.axis(t.node().integer("axis", 0), t.rank());
  const std::int64_t n = t.dims[axis];
  const auto parts = static_cast<std::int64_t>(t.node().output_count());
  auto sizes = t.args.integers("split", 1);
  if (!sizes) {
    // The last part is smaller if the parts cannot be equal.
    const std::int64_t count = t.node().integer("num_outputs", parts),
                       each = (n + count - 1) / std::max<std::int64_t>(count, 1);
    if (count != parts || (count - 1) * each >= n)
      t.args.bad(fmt::format("splits {} elements into {} parts", n, parts));
    sizes = Dims(static_cast<std::size_t>(count), each);
    sizes->back() = n - (count - 1) * each;
  }
  if (static_cast<std::int64_t>(sizes->size()) != parts) t.args.bad("has as many sizes as outputs no more");
  Plans out;
  std::int64_t begin = 0;
  for (const std::int64_t size : *sizes) {
    if (size < 1 || size > n - begin) t.args.bad(fmt::format("splits {} elements into parts of {}", n, size));
    std::vector<Dims> source = identity_axes(t.dims);
    source[axis] = sliced(n, begin, begin + size, 1);
    out.push_back(move_per_axis(t.dims, source, t.node().name()));
    begin += size;
  }
  if (begin != n) t.args.bad(fmt::format("splits {} of {} elements", begin, n));
  return out;
}

/// Both directions are a Reshape to six dimensions, a Transpose and a Reshape.
Plans depth_space(const Task& t) {
  const bool to_space = t.node().op() == "DepthToSpace";
  const std::int64_t b = t.node().integer("blocksize", 0);
  if (t.rank() != 4 || b < 1 || b > 1024)
    t.args.bad("needs a tensor of four dimensions and a positive blocksize");
  const std::int64_t n = t.dims[0], c = t.dims[1], h = t.dims[2], w = t.dims[3];
  if (to_space ? c % (b * b) != 0 : h % b != 0 || w % b != 0) {
    t.args.bad(fmt::format("has a blocksize of {}, which does not divide {}x{}x{}", b, c, h, w));
  }
  const std::string mode = t.node().text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw Unsupported{"its mode is neither DCR nor CRD"};
  Movement out;
  if (!to_space) {
    out = permute({n, c, h / b, b, w / b, b}, {0, 3, 5, 1, 2, 4});
    out.dims = {n, c * b * b, h / b, w / b};
  } else {
    const std::int64_t depth = c / (b * b);
    out = mode == "DCR" ? permute({n, b, b, depth, h, w}, {0, 3, 4, 1, 5, 2})
                        : permute({n, depth, b, b, h, w}, {0, 1, 4, 2, 5, 3});
    out.dims = {n, depth, h * b, w * b};
  }
  return {std::move(out)};
}

Plans resized(const Task& t) {
  Movement out = move_per_axis(t.dims, resize_places(t.args, t.dims, t.is_computed), t.node().name());
  return {std::move(out)};
}

using Plan = Plans (*)(const Task&);
const std::unordered_map<std::string, Plan>& plans() {
  static const std::unordered_map<std::string, Plan> kPlans = {
      {"Identity", identity},
      {"Dropout", identity},
      {"Flatten", flatten},
      {"Reshape", reshape},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Transpose", transpose},
      {"Slice", slice},
      {"Gather", gather},
      {"Pad", pad},
      {"Expand", expand},
      {"Tile", tile},
      {"Split", split},
      {"DepthToSpace", depth_space},
      {"SpaceToDepth", depth_space},
      {"Resize", resized},
      {"Upsample", resized},
  };
  return kPlans;
}

}  // namespace

bool is_movement(const std::string& op) { return plans().contains(op); }

Plans plan_movement(const Arguments& args, const Dims& dims, bool is_computed) {
  return plans().at(args.node.op())(Task{args, dims, is_computed});
}

Movement move_per_axis(const Dims& dims, const std::vector<Dims>& source, const std::string& where,
                       double fill) {
  Movement out;
  out.fill = fill;
  bool same = true;
  for (std::size_t d = 0; d < source.size(); ++d) {
    out.dims.push_back(static_cast<std::int64_t>(source[d].size()));
    same = same && source[d] == count_up(dims[d]);
  }
  if (same) return out;
  // A constant may have no elements at all.
  const bool is_empty = std::count(out.dims.begin(), out.dims.end(), 0) > 0;
  const auto size = is_empty ? 0 : static_cast<std::size_t>(checked_size(out.dims, where));
  std::vector<std::int32_t> index = {0};
  index.reserve(size);
  // Grows the index one dimension at a time, outermost first.
  for (std::size_t d = 0; d < source.size(); ++d) {
    std::vector<std::int32_t> next;
    next.reserve(index.size() * source[d].size());
    for (const std::int32_t outer : index) {
      for (const std::int64_t i : source[d]) {
        next.push_back(outer < 0 || i < 0 ? -1 : static_cast<std::int32_t>(outer * dims[d] + i));
      }
    }
    index = std::move(next);
  }
  out.index = std::move(index);
  return out;
}

Movement permute(const Dims& dims, const std::vector<std::size_t>& order) {
  const std::size_t rank = dims.size();
  Movement out;
  Dims stride(rank, 1);
  for (std::size_t i = rank; i-- > 1;) stride[i - 1] = stride[i] * dims[i];
  for (const std::size_t a : order) out.dims.push_back(dims[a]);
  // Dimensions of one element do not count: what remains may still be in order.
  std::vector<std::size_t> moved;
  std::copy_if(order.begin(), order.end(), std::back_inserter(moved),
               [&](std::size_t a) { return dims[a] != 1; });
  if (std::is_sorted(moved.begin(), moved.end())) return out;
  const std::int64_t size = product(dims);
  std::vector<std::int32_t> index;
  index.reserve(static_cast<std::size_t>(size));
  Dims at(rank, 0);
  for (std::int64_t n = 0; n < size; ++n) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < rank; ++i) from += at[i] * stride[order[i]];
    index.push_back(static_cast<std::int32_t>(from));
    for (std::size_t i = rank; i-- > 0 && ++at[i] == out.dims[i];) at[i] = 0;
  }
  out.index = std::move(index);
  return out;
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  const auto at = [&](const Dims& dims, std::size_t d) {
    const std::size_t missing = out.size() - dims.size();
    return d < missing ? 1 : dims[d - missing];
  };
  for (std::size_t d = 0; d < out.size(); ++d) {
    const std::int64_t x = at(a, d), y = at(b, d);
    if (x != y && x != 1 && y != 1) {
      throw Unsupported{fmt::format("it combines tensors with {} and {} elements along one dimension", x, y)};
    }
    out[d] = x == 1 ? y : x;
  }
  return out;
}

Movement broadcast(const Dims& dims, const Dims& to) {
  if (dims.size() > to.size() || broadcast_dims(dims, to) != to) {
    throw Unsupported{"it combines tensors of shapes that do not fit"};
  }
  Dims aligned(to.size() - dims.size(), 1);
  aligned.insert(aligned.end(), dims.begin(), dims.end());
  std::vector<Dims> source;
  for (std::size_t d = 0; d < to.size(); ++d) {
    source.push_back(aligned[d] == to[d] ? count_up(to[d]) : Dims(static_cast<std::size_t>(to[d]), 0));
  }
  return move_per_axis(aligned, source, "a broadcast");
}

Constant move(const Constant& c, const Movement& movement) {
  Constant out = c;
  out.dims = movement.dims;
  if (!movement.index) return out;
  const auto apply = [&](const auto& from, auto& to, auto fill) {
    to.clear();
    to.reserve(movement.index->size());
    for (const std::int32_t i : *movement.index)
      to.push_back(i < 0 ? fill : from[static_cast<std::size_t>(i)]);
  };
  if (c.is_integer) {
    apply(c.integers, out.integers, static_cast<std::int64_t>(movement.fill));
  } else {
    apply(c.floats, out.floats, static_cast<float>(movement.fill));
  }
  return out;
}

}  // namespace ap::nn

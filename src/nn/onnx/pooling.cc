// The pooling operators and reductions. What a plain window of the graph cannot say (dilation, divisors that vary at the
// border, windows that overhang) becomes a gather of each window's elements and a plain window over them.
#include <algorithm>
#include <numeric>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

/// The integer network takes maxima of at most this many elements, and sums over windows of at most this many along
/// each dimension.
constexpr std::int64_t kMaxMaximum = 64;
constexpr std::int64_t kMaxSumExtent = 4096;
/// Gathers of all windows are not made beyond this.
constexpr std::int64_t kMaxGathered = std::int64_t{1} << 24;

int narrow(std::int64_t v) { return static_cast<int>(v); }

bool is_plain(const SpatialWindow& w) {
  for (std::size_t a = 0; a < 2; ++a) {
    if (w.dilation[a] != 1 || w.before[a] >= w.kernel[a] || w.after[a] + w.extension[a] >= w.kernel[a])
      return false;
  }
  return true;
}

Window graph_window(const SpatialWindow& w) {
  return {narrow(w.kernel[0]), narrow(w.kernel[1]), narrow(w.stride[0]), narrow(w.stride[1]),
          Padding{narrow(w.before[0]), narrow(w.before[1]), narrow(w.after[0] + w.extension[0]),
                  narrow(w.after[1] + w.extension[1])}};
}

Shape image_shape(const Dims& dims) { return {narrow(dims[1]), narrow(dims[2]), narrow(dims[3])}; }

/// For each window along an axis, the elements under it; -1 for those of the padding, if it is wanted.
std::vector<Dims> cells(const SpatialWindow& w, std::size_t axis, bool with_padding) {
  std::vector<Dims> out;
  for (std::int64_t o = 0; o < w.out(axis); ++o) {
    Dims list;
    for (std::int64_t k = 0; k < w.kernel[axis]; ++k) {
      const std::int64_t i = o * w.stride[axis] - w.before[axis] + k * w.dilation[axis];
      if (i >= 0 && i < w.in[axis]) {
        list.push_back(i);
      } else if (with_padding && i < w.in[axis] + w.after[axis]) {
        list.push_back(-1);
      }
    }
    if (list.empty()) throw Unsupported{"one of its windows lies wholly in the padding"};
    out.push_back(std::move(list));
  }
  return out;
}

/// The lists, each repeated as often as makes all equally long, one after the other.
Dims equally_long(const std::vector<Dims>& lists, std::int64_t length) {
  Dims out;
  for (const Dims& list : lists) {
    for (std::int64_t r = 0; r < length / std::ssize(list); ++r)
      out.insert(out.end(), list.begin(), list.end());
  }
  return out;
}

std::int64_t common_multiple(const std::vector<Dims>& lists) {
  std::int64_t out = 1;
  for (const Dims& list : lists) {
    out = std::lcm(out, static_cast<std::int64_t>(list.size()));
    if (out > kMaxSumExtent) return 0;
  }
  return out;
}

Dims all_of(std::int64_t n) {
  Dims out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

/// The same movement along dimension `axis`, everything else in place.
Movement along(const Dims& dims, std::size_t axis, Dims places, const std::string& name) {
  std::vector<Dims> source;
  for (std::size_t d = 0; d < dims.size(); ++d) source.push_back(d == axis ? places : all_of(dims[d]));
  return move_per_axis(dims, source, name);
}

Dims kernel_of(const OnnxNode& node) {
  const auto kernel = node.integers("kernel_shape");
  if (!kernel) fail_input("node {} ({}) has no kernel_shape", node.name(), node.op());
  return *kernel;
}

}  // namespace

/// Along the last dimension: out[o] = the greatest of the elements cells[o].
Value OnnxLowering::greatest(const Value& value, const std::vector<Dims>& lists, const std::string& name) {
  std::size_t longest = 1;
  for (const Dims& list : lists) longest = std::max(longest, list.size());
  const bool is_split = static_cast<std::int64_t>(longest) > kMaxMaximum;
  const auto run = is_split ? kMaxMaximum : static_cast<std::int64_t>(longest);
  const std::int64_t runs = (static_cast<std::int64_t>(longest) + run - 1) / run;
  // Repeats do not change a maximum.
  Dims places;
  for (const Dims& list : lists) {
    for (std::int64_t k = 0; k < runs * run; ++k) {
      places.push_back(list[static_cast<std::size_t>(std::min(k, std::ssize(list) - 1))]);
    }
  }
  const Value source = moved(value, along(value.dims, value.dims.size() - 1, std::move(places), name), name);
  const std::int64_t outer = element_count(source.dims) / source.dims.back();
  Dims dims = value.dims;
  dims.back() = std::ssize(lists) * runs;
  if (run == 1) return source;
  Window w;
  w.kernel_w = w.stride_w = narrow(run);
  Shape shape{narrow(outer), 1, narrow(source.dims.back())};
  if (dims.size() == 4 && dims[0] == 1) shape = image_shape(source.dims);
  const int from = shaped(source, shape);
  shape.w = narrow(dims.back());
  Value out{.node = add_node(name, MaxPoolOp{w}, {from}, shape), .dims = dims, .origin = name};
  if (runs == 1) return out;
  std::vector<Dims> next;
  for (std::int64_t o = 0; o < std::ssize(lists); ++o) {
    Dims list = all_of(runs);
    for (std::int64_t& i : list) i += o * runs;
    next.push_back(std::move(list));
  }
  return greatest(out, next, name);
}

void OnnxLowering::max_pool(const OnnxNode& node) {
  const Value& given = raw_tensor(node, 0);
  Value input = spatial(given);
  const SpatialWindow w = window(node, given, kernel_of(node));
  const Dims dims = spatial_result(given, input.dims[1], w);
  checked_size(dims, node.name());
  const auto keep = [&](Value out) {
    out.dims = dims;
    out.is_integer = given.is_integer;
    out.scale = given.scale;
    out.zero = given.zero;
    define(node, std::move(out));
  };
  const auto pool = [&](const Value& source, const Window& win) {
    const Shape in = image_shape(source.dims), out{in.c, win.out_h(in.h), win.out_w(in.w)};
    const int from = shaped(source, in);
    return Value{.node = add_node(node.name(), MaxPoolOp{win}, {from}, out),
                 .dims = {1, out.c, out.h, out.w},
                 .origin = node.name()};
  };
  const Window plain_window = graph_window(w);
  const bool is_single = w.kernel[0] * w.kernel[1] == 1;
  if (is_plain(w) && !is_single && w.kernel[0] * w.kernel[1] <= kMaxMaximum)
    return keep(pool(input, plain_window));
  if (is_plain(w) && std::max(w.kernel[0], w.kernel[1]) <= kMaxMaximum && !is_single && w.kernel[0] > 1 &&
      w.kernel[1] > 1) {
    Window rows = plain_window, columns = plain_window;
    rows.kernel_w = rows.stride_w = 1;
    rows.pad.left = rows.pad.right = 0;
    columns.kernel_h = columns.stride_h = 1;
    columns.pad.top = columns.pad.bottom = 0;
    return keep(pool(pool(input, columns), rows));
  }
  input = greatest(input, cells(w, 1, false), node.name());
  const Movement turn = permute(input.dims, {0, 1, 3, 2});
  input = greatest(moved(input, turn, node.name()), cells(w, 0, false), node.name());
  keep(moved(input, permute(input.dims, {0, 1, 3, 2}), node.name()));
}

void OnnxLowering::average_pool(const OnnxNode& node) {
  const Value& given = tensor(node, 0);
  Value input = spatial(given);
  const SpatialWindow w = window(node, given, kernel_of(node));
  const Dims dims = spatial_result(given, input.dims[1], w);
  checked_size(dims, node.name());
  const bool with_padding = node.integer("count_include_pad", 0) != 0;
  const auto pool = [&](const Value& source, const Window& win) {
    const Shape in = image_shape(source.dims), out{in.c, win.out_h(in.h), win.out_w(in.w)};
    const int from = shaped(source, in);
    return Value{.node = add_node(node.name(), AveragePoolOp{win, true}, {from}, out),
                 .dims = {1, out.c, out.h, out.w},
                 .origin = node.name()};
  };
  Window win = graph_window(w);
  // An axis whose windows all have as many elements as the kernel needs nothing else.
  for (const std::size_t axis : {std::size_t{1}, std::size_t{0}}) {
    const std::vector<Dims> lists = cells(w, axis, with_padding);
    const bool is_regular =
        w.dilation[axis] == 1 &&
        std::all_of(lists.begin(), lists.end(),
                    [&](const Dims& list) { return std::ssize(list) == w.kernel[axis]; }) &&
        w.before[axis] < w.kernel[axis] && w.after[axis] + w.extension[axis] < w.kernel[axis];
    if (is_regular) continue;
    // Each element as often as makes every divisor the same.
    note(fmt::format(
        "{} ({}): its divisor is smaller where windows reach into the padding; elements there are counted several times",
        node.name(), node.op()));
    const std::int64_t length = common_multiple(lists);
    if (length == 0 ||
        element_count(input.dims) / input.dims[axis + 2] * w.out(axis) > kMaxGathered / length) {
      throw Unsupported{"its divisors vary too much at the border; use count_include_pad=1 or no padding"};
    }
    input = moved(input, along(input.dims, axis + 2, equally_long(lists, length), node.name()), node.name());
    Window run;
    (axis == 1 ? run.kernel_w : run.kernel_h) = narrow(length);
    (axis == 1 ? run.stride_w : run.stride_h) = narrow(length);
    if (length > 1) input = pool(input, run);
    (axis == 1 ? win.kernel_w : win.kernel_h) = 1;
    (axis == 1 ? win.stride_w : win.stride_h) = 1;
    (axis == 1 ? win.pad.left : win.pad.top) = 0;
    (axis == 1 ? win.pad.right : win.pad.bottom) = 0;
  }
  if (!(win == Window{})) {
    if (std::max(win.kernel_h, win.kernel_w) > kMaxSumExtent) {
      throw Unsupported{
          fmt::format("it averages over more than {} elements along one dimension", kMaxSumExtent)};
    }
    input = pool(input, win);
  }
  input.dims = dims;
  define(node, std::move(input));
}

/// Mean (or greatest element) over some dimensions, which stay with one element.
Value OnnxLowering::reduced(const Value& value, const std::set<std::size_t>& axes, bool greatest_one,
                            const std::string& name) {
  std::vector<std::size_t> order;
  Dims dims = value.dims;
  std::int64_t kept = 1, gone = 1;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (axes.contains(d)) continue;
    order.push_back(d);
    kept *= dims[d];
  }
  for (const std::size_t d : axes) {
    order.push_back(d);
    gone *= dims[d];
    dims[d] = 1;
  }
  const auto with = [&](Value out) {
    out.dims = dims;
    return out;
  };
  if (gone == 1) return with(value);
  Value source = moved(value, permute(value.dims, order), name);
  source.dims = {kept, gone};
  if (greatest_one) return with(greatest(source, {all_of(gone)}, name));
  Shape shape{narrow(kept), 1, narrow(gone)};
  // The image as it is, where that is what the mean goes over.
  const Shape own = node_shape(source.node);
  if (own.c == kept && own.h <= kMaxSumExtent && own.w <= kMaxSumExtent) shape = own;
  if (std::max(shape.h, shape.w) > kMaxSumExtent) {
    const auto share = static_cast<float>(1.0 / static_cast<double>(gone));
    return with(
        linear_along(source, 1, std::vector<float>(static_cast<std::size_t>(gone), share), {0.0F}, name));
  }
  Window w;
  w.kernel_h = shape.h;
  w.kernel_w = shape.w;
  const int from = shaped(source, shape);
  return with(Value{
      .node = add_node(name, AveragePoolOp{w, true}, {from}, {shape.c, 1, 1}), .dims = {}, .origin = name});
}

void OnnxLowering::global_average_pool(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  std::set<std::size_t> axes;
  for (std::size_t d = 2; d < input.dims.size(); ++d) axes.insert(d);
  define(node, reduced(input, axes, node.op() == "GlobalMaxPool", node.name()));
}

void OnnxLowering::global_max_pool(const OnnxNode& node) { global_average_pool(node); }

/// ReduceMean, ReduceSum, ReduceMax, ReduceMin and ReduceSumSquare over any dimensions.
void OnnxLowering::reduce(const OnnxNode& node) {
  Value value = tensor(node, 0);
  const std::size_t rank = value.dims.size();
  const Arguments args = arguments(node);
  const auto list = args.integers("axes", 1);
  const std::string& op = node.op();
  std::set<std::size_t> axes;
  for (const std::int64_t a : list.value_or(Dims{})) axes.insert(args.axis(a, rank));
  if (axes.empty() && node.integer("noop_with_empty_axes", 0) == 0) {
    for (std::size_t d = 0; d < rank; ++d) axes.insert(d);
  }
  if (model_.batch > 1 && axes.contains(0)) throw Unsupported{"it works along the batch dimension"};
  double count = 1;
  for (const std::size_t d : axes) count *= static_cast<double>(value.dims[d]);
  if (op == "ReduceSumSquare") {
    value = Value{
        .node = materialise(value), .dims = value.dims, .c0 = 0, .c1 = 0, .c2 = 1, .origin = node.name()};
  }
  const bool is_min = op == "ReduceMin";
  if (is_min) value = affine(value, {-1}, {0}, node.name());
  Value out = reduced(value, axes, is_min || op == "ReduceMax", node.name());
  if (is_min) out = affine(out, {-1}, {0}, node.name());
  if (op == "ReduceSum" || op == "ReduceSumSquare") out = affine(out, {count}, {0}, node.name());
  if (node.integer("keepdims", 1) == 0) {
    Dims kept;
    for (std::size_t d = 0; d < rank; ++d) {
      if (!axes.contains(d)) kept.push_back(out.dims[d]);
    }
    out.dims = std::move(kept);
  }
  define(node, std::move(out));
}

}  // namespace ap::nn

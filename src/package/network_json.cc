#include "package/network_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ap::package {
namespace {

using nn::QNode;

// Wide enough for every network that nn::validate accepts, which has the last word.
constexpr int kMaxExtent = 1 << 26, kMaxWindow = 1 << 16;
constexpr int kMaxShift = 31, kMaxBits = 31;
constexpr std::int64_t kMaxMagnitude = std::int64_t{1} << 31, kMaxCoefficient = std::int64_t{1} << 48;
constexpr std::size_t kMaxNodes = 10'000, kMaxInputs = 4096, kMaxIndices = std::size_t{1} << 26;
constexpr std::size_t kMaxNameBytes = 1024, kMaxTableValues = 256;
constexpr double kLeastScale = 1e-100, kMaxScale = 1e100;

Json shape_json(const nn::Shape& s) { return Json::array({s.c, s.h, s.w}); }
nn::Shape shape_from(const JsonReader& j) {
  j.expect_size(3);
  const auto extent = [&](std::size_t i) { return j.element(i).integer<int>(1, kMaxExtent); };
  return {extent(0), extent(1), extent(2)};
}

Json window_json(const nn::Window& w) {
  return {{"kernel", {w.kernel_h, w.kernel_w}},
          {"stride", {w.stride_h, w.stride_w}},
          {"pad", {w.pad.top, w.pad.left, w.pad.bottom, w.pad.right}}};
}

nn::Window window_from(const JsonReader& j) {
  const JsonReader kernel = j.at("kernel"), stride = j.at("stride"), pad = j.at("pad");
  kernel.expect_size(2);
  stride.expect_size(2);
  pad.expect_size(4);
  const auto side = [](const JsonReader& of, std::size_t i) {
    return of.element(i).integer<int>(1, kMaxWindow);
  };
  const auto padding = [&](std::size_t i) { return pad.element(i).integer<int>(0, kMaxWindow); };
  nn::Window w;
  w.kernel_h = side(kernel, 0);
  w.kernel_w = side(kernel, 1);
  w.stride_h = side(stride, 0);
  w.stride_w = side(stride, 1);
  w.pad = {padding(0), padding(1), padding(2), padding(3)};
  return w;
}

/// Elements of all gather nodes whose list of sources is written for one channel: 128 MiB.
constexpr std::uint64_t kMaxGathered = std::uint64_t{1} << 25;

/// Lists of sources that are the same for every channel, but for where the channel begins, are written once: pooling
/// over windows that differ at the edges has one element for each of millions else.
void write_gather(const nn::QGather& op, const nn::Shape& shape, Json& j) {
  const auto channels = static_cast<std::size_t>(shape.c);
  const std::size_t plane = op.index.size() / channels;
  const auto is_zero = [](std::int32_t source) { return source < 0; };
  const auto first = std::ranges::find_if_not(op.index, is_zero);
  if (channels > 1 && plane > 0 && op.index.size() == plane * channels &&
      first < op.index.begin() + static_cast<std::ptrdiff_t>(plane)) {
    const std::int64_t begin = *first, stride = first[static_cast<std::ptrdiff_t>(plane)] - begin;
    bool repeats = stride >= 0;
    for (std::size_t i = plane; i < op.index.size() && repeats; ++i) {
      const std::int64_t before = op.index[i - plane], now = op.index[i];
      repeats = is_zero(op.index[i - plane]) ? now == before : now == before + stride;
    }
    if (repeats) {
      j["plane"] =
          std::vector<std::int32_t>(op.index.begin(), op.index.begin() + static_cast<std::ptrdiff_t>(plane));
      j["stride"] = stride;
      return;
    }
  }
  j["index"] = op.index;
}

/// `gathered`: elements of such nodes so far.
nn::QGather gather_from(const JsonReader& j, std::uint64_t& gathered) {
  if (!j.has("plane")) return {j.at("index").integers<std::int32_t>(kMaxIndices, -1, kMaxExtent)};
  const auto plane = j.at("plane").integers<std::int32_t>(kMaxIndices, -1, kMaxExtent);
  const auto stride = j.at("stride").integer<std::int64_t>(0, kMaxExtent);
  const auto channels = static_cast<std::uint64_t>(shape_from(j.at("shape")).c);
  if (plane.size() * channels > kMaxGathered - gathered) {
    j.at("plane").refuse(fmt::format("shorter: {} channels of it; all such nodes have at most {} elements",
                                     channels, kMaxGathered));
  }
  gathered += plane.size() * channels;
  nn::QGather op;
  op.index.reserve(plane.size() * channels);
  for (std::uint64_t c = 0; c < channels; ++c) {
    for (const std::int32_t source : plane) {
      const std::int64_t moved = source < 0 ? source : source + static_cast<std::int64_t>(c) * stride;
      if (moved > kMaxExtent)
        j.at("stride").refuse(fmt::format("such that sources stay below {}", kMaxExtent));
      op.index.push_back(static_cast<std::int32_t>(moved));
    }
  }
  return op;
}

struct WriteOp {
  Json& j;
  const nn::Shape& shape;
  void operator()(const nn::QInput&) const {}
  void operator()(const nn::QLinear& op) const {
    j["in_shape"] = shape_json(op.in_shape);
    j["window"] = window_json(op.window);
    j["groups"] = op.groups;
  }
  void operator()(const nn::QAdd& op) const { j["multiplier"] = op.multiplier; }
  void operator()(const nn::QSumPool& op) const { j["window"] = window_json(op.window); }
  void operator()(const nn::QConcat&) const {}
  void operator()(const nn::QGather& op) const { write_gather(op, shape, j); }
  void operator()(const nn::QActivation& op) const {
    j["shift"] = op.shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
    if (op.has_pool) j["pool"] = window_json(op.pool);
  }
  void operator()(const nn::QTable& op) const {
    j["shift"] = op.shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
    j["relu"] = op.relu;
    j["even"] = op.even;
    j["cell_bits"] = op.cell_bits;
    j["offset"] = op.offset;
    j["values"] = op.values;
  }
  void operator()(const nn::QProduct& op) const {
    j["shift"] = op.shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
  }
  void operator()(const nn::QQuadratic& op) const {
    j["shift"] = op.shift;
    j["c"] = {op.c0, op.c1, op.c2};
    j["post_shift"] = op.post_shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
  }
};

int shift_from(const JsonReader& j) { return j.integer<int>(0, kMaxShift); }
int bits_from(const JsonReader& j) { return j.integer<int>(1, kMaxBits); }
std::int64_t value_from(const JsonReader& j) {
  return j.integer<std::int64_t>(-kMaxMagnitude, kMaxMagnitude);
}
double scale_from(const JsonReader& j) { return j.number(kLeastScale, kMaxScale); }

nn::QOp op_from(const std::string& kind, const JsonReader& j, std::uint64_t& gathered) {
  if (kind == nn::op_name(nn::QInput{})) return nn::QInput{};
  if (kind == nn::op_name(nn::QConcat{})) return nn::QConcat{};
  if (kind == nn::op_name(nn::QLinear{})) {
    nn::QLinear op;
    op.in_shape = shape_from(j.at("in_shape"));
    op.window = window_from(j.at("window"));
    op.groups = j.at("groups").integer<int>(1, kMaxExtent);
    return op;
  }
  if (kind == nn::op_name(nn::QAdd{})) {
    return nn::QAdd{j.at("multiplier").integers<std::int64_t>(kMaxInputs, 1, kMaxMagnitude)};
  }
  if (kind == nn::op_name(nn::QSumPool{})) return nn::QSumPool{window_from(j.at("window"))};
  if (kind == nn::op_name(nn::QGather{})) return gather_from(j, gathered);
  if (kind == nn::op_name(nn::QActivation{})) {
    nn::QActivation op;
    op.shift = shift_from(j.at("shift"));
    op.low = value_from(j.at("low"));
    op.bits = bits_from(j.at("bits"));
    op.has_pool = j.has("pool");
    if (op.has_pool) op.pool = window_from(j.at("pool"));
    return op;
  }
  if (kind == nn::op_name(nn::QQuadratic{})) {
    const JsonReader c = j.at("c");
    c.expect_size(3);
    const auto coefficient = [&](std::size_t i) {
      return c.element(i).integer<std::int64_t>(-kMaxCoefficient, kMaxCoefficient);
    };
    nn::QQuadratic op;
    op.shift = shift_from(j.at("shift"));
    op.c0 = coefficient(0);
    op.c1 = coefficient(1);
    op.c2 = coefficient(2);
    op.post_shift = shift_from(j.at("post_shift"));
    op.low = value_from(j.at("low"));
    op.bits = bits_from(j.at("bits"));
    return op;
  }
  if (kind == nn::op_name(nn::QTable{})) {
    nn::QTable op;
    op.shift = shift_from(j.at("shift"));
    op.low = value_from(j.at("low"));
    op.bits = bits_from(j.at("bits"));
    op.relu = j.at("relu").boolean();
    op.even = j.at("even").boolean();
    op.cell_bits = j.at("cell_bits").integer<int>(0, kMaxBits);
    op.offset = value_from(j.at("offset"));
    op.values = j.at("values").integers<std::uint16_t>(kMaxTableValues);
    return op;
  }
  if (kind == nn::op_name(nn::QProduct{})) {
    nn::QProduct op;
    op.shift = shift_from(j.at("shift"));
    op.low = value_from(j.at("low"));
    op.bits = bits_from(j.at("bits"));
    return op;
  }
  j.at("op").refuse("a kind of node that this version knows");
}

/// What clients multiply logits by before they show them: its other digits would only tell of the weights.
double three_digits(double value) { return std::stod(fmt::format("{:.2e}", value)); }

}  // namespace

Json network_to_json(const nn::QuantisedNetwork& network) {
  Json nodes = Json::array();
  for (const QNode& node : network.nodes) {
    Json j = {{"name", node.name},
              {"op", nn::op_name(node.op)},
              {"inputs", node.inputs},
              {"shape", shape_json(node.shape)}};
    std::visit(WriteOp{j, node.shape}, node.op);
    nodes.push_back(std::move(j));
  }
  Json json = {{"name", network.name},
               {"nodes", std::move(nodes)},
               {"input_scale", network.nodes.front().scale},
               {"input_range", {network.nodes.front().low, network.nodes.front().high}},
               {"logits_scale", three_digits(network.nodes.back().scale)}};
  const nn::InputForm& form = network.input_form;
  if (!form.dims.empty()) json["input_form"] = {{"dims", form.dims}, {"channels_last", form.channels_last}};
  return json;
}

nn::QuantisedNetwork network_from_json(const JsonReader& json) {
  nn::QuantisedNetwork network;
  network.name = json.at("name").text(kMaxNameBytes);
  const JsonReader nodes = json.at("nodes");
  const std::size_t count = nodes.size(kMaxNodes);
  if (count == 0) nodes.refuse("an array with an input");
  std::uint64_t gathered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const JsonReader j = nodes.element(i);
    QNode node;
    node.name = j.at("name").text(kMaxNameBytes);
    node.op = op_from(j.at("op").text(kMaxNameBytes), j, gathered);
    node.inputs = j.at("inputs").integers<int>(kMaxInputs, 0, static_cast<int>(count) - 1);
    node.shape = shape_from(j.at("shape"));
    network.nodes.push_back(std::move(node));
  }
  if (json.has("input_form")) {
    constexpr std::size_t kMaxRank = 8;
    const JsonReader form = json.at("input_form");
    network.input_form.dims = form.at("dims").integers<int>(kMaxRank, 1);
    network.input_form.channels_last = form.at("channels_last").boolean();
  }
  const JsonReader range = json.at("input_range");
  range.expect_size(2);
  network.nodes.front().scale = scale_from(json.at("input_scale"));
  network.nodes.front().low = value_from(range.element(0));
  network.nodes.front().high = value_from(range.element(1));
  network.nodes.back().scale = scale_from(json.at("logits_scale"));
  return network;
}

Json private_to_json(const nn::QuantisedNetwork& network) {
  Json nodes = Json::array();
  for (const QNode& node : network.nodes) nodes.push_back({node.scale, node.low, node.high});
  return {{"nodes", std::move(nodes)}};
}

void private_from_json(const JsonReader& json, nn::QuantisedNetwork& network) {
  const JsonReader nodes = json.at("nodes");
  nodes.expect_size(network.nodes.size());
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const JsonReader node = nodes.element(i);
    node.expect_size(3);
    network.nodes[i].scale = scale_from(node.element(0));
    network.nodes[i].low = value_from(node.element(1));
    network.nodes[i].high = value_from(node.element(2));
  }
}

}  // namespace ap::package

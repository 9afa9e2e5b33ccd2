#include "package/network_json.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"

namespace ap::package {
namespace {

using nn::QNode;

Json shape_json(const nn::Shape& s) { return Json::array({s.c, s.h, s.w}); }
nn::Shape shape_from(const Json& j) { return {j.at(0).get<int>(), j.at(1).get<int>(), j.at(2).get<int>()}; }

Json window_json(const nn::Window& w) {
  return {{"kernel", {w.kernel_h, w.kernel_w}},
          {"stride", {w.stride_h, w.stride_w}},
          {"pad", {w.pad.top, w.pad.left, w.pad.bottom, w.pad.right}}};
}

nn::Window window_from(const Json& j) {
  nn::Window w;
  w.kernel_h = j.at("kernel").at(0).get<int>();
  w.kernel_w = j.at("kernel").at(1).get<int>();
  w.stride_h = j.at("stride").at(0).get<int>();
  w.stride_w = j.at("stride").at(1).get<int>();
  w.pad.top = j.at("pad").at(0).get<int>();
  w.pad.left = j.at("pad").at(1).get<int>();
  w.pad.bottom = j.at("pad").at(2).get<int>();
  w.pad.right = j.at("pad").at(3).get<int>();
  return w;
}

struct WriteOp {
  Json& j;
  void operator()(const nn::QInput&) const {}
  void operator()(const nn::QLinear& op) const {
    j["in_shape"] = shape_json(op.in_shape);
    j["window"] = window_json(op.window);
    j["groups"] = op.groups;
  }
  void operator()(const nn::QAdd& op) const { j["multiplier"] = op.multiplier; }
  void operator()(const nn::QSumPool& op) const { j["window"] = window_json(op.window); }
  void operator()(const nn::QConcat&) const {}
  void operator()(const nn::QGather& op) const { j["index"] = op.index; }
  void operator()(const nn::QActivation& op) const {
    j["shift"] = op.shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
    if (op.has_pool) j["pool"] = window_json(op.pool);
  }
  void operator()(const nn::QQuadratic& op) const {
    j["shift"] = op.shift;
    j["c"] = {op.c0, op.c1, op.c2};
    j["post_shift"] = op.post_shift;
    j["low"] = op.low;
    j["bits"] = op.bits;
  }
};

nn::QOp op_from(const std::string& kind, const Json& j) {
  if (kind == nn::op_name(nn::QInput{})) return nn::QInput{};
  if (kind == nn::op_name(nn::QConcat{})) return nn::QConcat{};
  if (kind == nn::op_name(nn::QLinear{})) {
    nn::QLinear op;
    op.in_shape = shape_from(j.at("in_shape"));
    op.window = window_from(j.at("window"));
    op.groups = j.at("groups").get<int>();
    return op;
  }
  if (kind == nn::op_name(nn::QAdd{})) return nn::QAdd{j.at("multiplier").get<std::vector<std::int64_t>>()};
  if (kind == nn::op_name(nn::QSumPool{})) return nn::QSumPool{window_from(j.at("window"))};
  if (kind == nn::op_name(nn::QGather{})) return nn::QGather{j.at("index").get<std::vector<std::int32_t>>()};
  if (kind == nn::op_name(nn::QActivation{})) {
    nn::QActivation op;
    op.shift = j.at("shift").get<int>();
    op.low = j.at("low").get<std::int64_t>();
    op.bits = j.at("bits").get<int>();
    op.has_pool = j.contains("pool");
    if (op.has_pool) op.pool = window_from(j.at("pool"));
    return op;
  }
  if (kind == nn::op_name(nn::QQuadratic{})) {
    nn::QQuadratic op;
    op.shift = j.at("shift").get<int>();
    op.c0 = j.at("c").at(0).get<std::int64_t>();
    op.c1 = j.at("c").at(1).get<std::int64_t>();
    op.c2 = j.at("c").at(2).get<std::int64_t>();
    op.post_shift = j.at("post_shift").get<int>();
    op.low = j.at("low").get<std::int64_t>();
    op.bits = j.at("bits").get<int>();
    return op;
  }
  fail_input("the package holds a node of unknown kind \"{}\"; it was made by a newer version", kind);
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
    std::visit(WriteOp{j}, node.op);
    nodes.push_back(std::move(j));
  }
  return {{"name", network.name},
          {"nodes", std::move(nodes)},
          {"input_scale", network.nodes.front().scale},
          {"input_range", {network.nodes.front().low, network.nodes.front().high}},
          {"logits_scale", three_digits(network.nodes.back().scale)}};
}

nn::QuantisedNetwork network_from_json(const Json& json) {
  nn::QuantisedNetwork network;
  network.name = json.at("name").get<std::string>();
  for (const Json& j : json.at("nodes")) {
    QNode node;
    node.name = j.at("name").get<std::string>();
    node.op = op_from(j.at("op").get<std::string>(), j);
    node.inputs = j.at("inputs").get<std::vector<int>>();
    node.shape = shape_from(j.at("shape"));
    network.nodes.push_back(std::move(node));
  }
  if (network.nodes.empty()) fail_input("the package holds a network without nodes");
  network.nodes.front().scale = json.at("input_scale").get<double>();
  network.nodes.front().low = json.at("input_range").at(0).get<std::int64_t>();
  network.nodes.front().high = json.at("input_range").at(1).get<std::int64_t>();
  network.nodes.back().scale = json.at("logits_scale").get<double>();
  return network;
}

Json private_to_json(const nn::QuantisedNetwork& network) {
  Json nodes = Json::array();
  for (const QNode& node : network.nodes) nodes.push_back({node.scale, node.low, node.high});
  return {{"nodes", std::move(nodes)}};
}

void private_from_json(const Json& json, nn::QuantisedNetwork& network) {
  const Json& nodes = json.at("nodes");
  if (nodes.size() != network.nodes.size())
    fail_input("the package's private part belongs to another network");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    network.nodes[i].scale = nodes[i].at(0).get<double>();
    network.nodes[i].low = nodes[i].at(1).get<std::int64_t>();
    network.nodes[i].high = nodes[i].at(2).get<std::int64_t>();
  }
}

}  // namespace ap::package

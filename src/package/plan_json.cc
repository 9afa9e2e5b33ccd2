#include "base/error.h"
#include "package/network_json.h"

namespace ap::package {
namespace {

Json linear_json(const plan::LinearChoice& c) {
  const linear::Packing& p = c.packing;
  return {{"node", c.node},
          {"group", c.group},
          {"log2_p", c.log2_p},
          {"packing",
           {{"window", {p.window_h, p.window_w}},
            {"channels_in", p.channels_in},
            {"channels_out", p.channels_out},
            {"groups", p.groups},
            {"phases", p.phases}}},
          {"drop", {c.drop0, c.drop1}},
          {"error_std", c.error_std},
          {"failure_log2", c.failure_log2},
          {"predicted_s", c.predicted_s},
          {"predicted_bytes", c.predicted_bytes}};
}

plan::LinearChoice linear_from(const Json& j) {
  plan::LinearChoice c;
  c.node = j.at("node").get<int>();
  c.group = j.at("group").get<int>();
  c.log2_p = j.at("log2_p").get<int>();
  const Json& p = j.at("packing");
  c.packing.window_h = p.at("window").at(0).get<int>();
  c.packing.window_w = p.at("window").at(1).get<int>();
  c.packing.channels_in = p.at("channels_in").get<int>();
  c.packing.channels_out = p.at("channels_out").get<int>();
  c.packing.groups = p.at("groups").get<int>();
  c.packing.phases = p.at("phases").get<bool>();
  c.drop0 = j.at("drop").at(0).get<int>();
  c.drop1 = j.at("drop").at(1).get<int>();
  c.error_std = j.at("error_std").get<double>();
  c.failure_log2 = j.at("failure_log2").get<double>();
  c.predicted_s = j.at("predicted_s").get<double>();
  c.predicted_bytes = j.at("predicted_bytes").get<std::uint64_t>();
  return c;
}

Json activation_json(const plan::ActivationChoice& c) {
  Json json = {{"node", c.node},
          {"engine", c.engine},
          {"sum_bits", c.truncation.sum_bits},
          {"shift", c.truncation.shift},
          {"guard_bits", c.truncation.guard_bits},
          {"out_bits", c.out_bits},
          {"predicted_s", c.predicted_s},
          {"predicted_bytes", c.predicted_bytes}};
  if (c.argument.sum_bits > 0) {  // a quadratic
    json["argument"] = {{"bits", c.argument.sum_bits},
                        {"shift", c.argument.shift},
                        {"guard_bits", c.argument.guard_bits}};
  }
  return json;
}

plan::ActivationChoice activation_from(const Json& j) {
  plan::ActivationChoice c;
  c.node = j.at("node").get<int>();
  c.engine = j.at("engine").get<std::string>();
  c.truncation.sum_bits = j.at("sum_bits").get<int>();
  c.truncation.shift = j.at("shift").get<int>();
  c.truncation.guard_bits = j.at("guard_bits").get<int>();
  c.out_bits = j.at("out_bits").get<int>();
  if (j.contains("argument")) {
    c.argument.sum_bits = j.at("argument").at("bits").get<int>();
    c.argument.shift = j.at("argument").at("shift").get<int>();
    c.argument.guard_bits = j.at("argument").at("guard_bits").get<int>();
  }
  c.predicted_s = j.at("predicted_s").get<double>();
  c.predicted_bytes = j.at("predicted_bytes").get<std::uint64_t>();
  return c;
}

}  // namespace

Json plan_to_json(const plan::Plan& plan) {
  Json groups = Json::array(), linears = Json::array(), activations = Json::array();
  for (const bfv::Parameters& g : plan.groups) groups.push_back({{"n", g.n}, {"primes", g.primes}});
  for (const plan::LinearChoice& c : plan.linears) linears.push_back(linear_json(c));
  for (const plan::ActivationChoice& c : plan.activations) activations.push_back(activation_json(c));
  return {{"policy", plan.policy},
          {"target_failure_log2", plan.target_failure_log2},
          {"failure_log2", plan.failure_log2},
          {"min_lambda_bits", plan.min_lambda_bits},
          {"groups", std::move(groups)},
          {"modulus_bits", plan.modulus_bits},
          {"linears", std::move(linears)},
          {"activations", std::move(activations)}};
}

plan::Plan plan_from_json(const Json& json) {
  plan::Plan plan;
  plan.policy = json.at("policy").get<std::string>();
  plan.target_failure_log2 = json.at("target_failure_log2").get<double>();
  plan.failure_log2 = json.at("failure_log2").get<double>();
  plan.min_lambda_bits = json.at("min_lambda_bits").get<double>();
  for (const Json& g : json.at("groups")) {
    plan.groups.push_back({g.at("n").get<std::uint32_t>(), g.at("primes").get<std::vector<std::uint64_t>>()});
  }
  plan.modulus_bits = json.at("modulus_bits").get<std::vector<int>>();
  for (const Json& c : json.at("linears")) plan.linears.push_back(linear_from(c));
  for (const Json& c : json.at("activations")) plan.activations.push_back(activation_from(c));
  return plan;
}

}  // namespace ap::package

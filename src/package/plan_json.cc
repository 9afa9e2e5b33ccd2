#include "base/error.h"
#include "package/network_json.h"

namespace ap::package {
namespace {

constexpr std::pair<linear::BatchedConvMethod, const char*> kConvMethods[] = {
    {linear::BatchedConvMethod::input_rotation, "input_rotation"},
    {linear::BatchedConvMethod::output_rotation, "output_rotation"},
    {linear::BatchedConvMethod::shifted_copies, "shifted_copies"},
    {linear::BatchedConvMethod::shifted_copies_published, "shifted_copies_published"}};
constexpr std::pair<linear::BatchedFcMethod, const char*> kFcMethods[] = {
    {linear::BatchedFcMethod::diagonal, "diagonal"},
    {linear::BatchedFcMethod::hybrid, "hybrid"},
    {linear::BatchedFcMethod::diagonal_baby_giant, "diagonal_baby_giant"},
    {linear::BatchedFcMethod::hybrid_baby_giant, "hybrid_baby_giant"}};

template <typename Method, std::size_t kCount>
const char* name_of(const std::pair<Method, const char*> (&methods)[kCount], Method wanted) {
  for (const auto& [method, name] : methods) {
    if (method == wanted) return name;
  }
  AP_ASSERT(false);
  return "";
}

template <typename Method, std::size_t kCount>
Method method_of(const std::pair<Method, const char*> (&methods)[kCount], const Json& json) {
  const auto wanted = json.get<std::string>();
  for (const auto& [method, name] : methods) {
    if (name == wanted) return method;
  }
  fail_input("the package asks for the packing \"{}\", which this version does not know", wanted);
}

Json batched_json(const plan::BatchedChoice& b) {
  return {{"conv", name_of(kConvMethods, b.conv)},
          {"fc", name_of(kFcMethods, b.fc)},
          {"statistical_bits", b.statistical_bits},
          {"flood_bits", b.flood_bits},
          {"reply_level", b.reply_level}};
}

plan::BatchedChoice batched_from(const Json& j) {
  plan::BatchedChoice b;
  b.conv = method_of(kConvMethods, j.at("conv"));
  b.fc = method_of(kFcMethods, j.at("fc"));
  b.statistical_bits = j.at("statistical_bits").get<int>();
  b.flood_bits = j.at("flood_bits").get<int>();
  b.reply_level = j.at("reply_level").get<int>();
  return b;
}

Json batch_group_json(const bfv::BatchParameters& g) {
  return {{"n", g.n},
          {"plain_primes", g.plain_primes},
          {"data_primes", g.data_primes},
          {"special_primes", g.special_primes},
          {"digits", g.digits}};
}

bfv::BatchParameters batch_group_from(const Json& j) {
  using Primes = std::vector<std::uint64_t>;
  return {j.at("n").get<std::uint32_t>(),      j.at("plain_primes").get<Primes>(),
          j.at("data_primes").get<Primes>(),   j.at("special_primes").get<Primes>(),
          j.at("digits").get<std::uint32_t>(), false};
}

Json linear_json(const plan::LinearChoice& c) {
  const linear::Packing& p = c.packing;
  Json json = {{"node", c.node},
               {"group", c.group},
               {"log2_p", c.log2_p},
               {"packing",
                {{"window", {p.window_h, p.window_w}},
                 {"channels_in", p.channels_in},
                 {"channels_out", p.channels_out},
                 {"groups", p.groups},
                 {"phases", p.phases}}},
               {"drop", {c.drop0, c.drop1}},
               {"noise_step", c.noise_step},
               {"error_std", c.error_std},
               {"failure_log2", c.failure_log2},
               {"predicted_s", c.predicted_s},
               {"predicted_bytes", c.predicted_bytes}};
  if (c.batched) json["batched"] = batched_json(*c.batched);
  return json;
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
  c.noise_step = j.at("noise_step").get<std::uint64_t>();
  c.error_std = j.at("error_std").get<double>();
  c.failure_log2 = j.at("failure_log2").get<double>();
  c.predicted_s = j.at("predicted_s").get<double>();
  c.predicted_bytes = j.at("predicted_bytes").get<std::uint64_t>();
  if (j.contains("batched")) c.batched = batched_from(j.at("batched"));
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
  Json json = {{"policy", plan.policy},
               {"target_failure_log2", plan.target_failure_log2},
               {"failure_log2", plan.failure_log2},
               {"min_lambda_bits", plan.min_lambda_bits},
               {"groups", std::move(groups)},
               {"modulus_bits", plan.modulus_bits},
               {"linears", std::move(linears)},
               {"activations", std::move(activations)}};
  // Only where something packs by slots.
  if (!plan.batch_groups.empty()) {
    Json& batch = json["batch_groups"] = Json::array();
    for (const bfv::BatchParameters& g : plan.batch_groups) batch.push_back(batch_group_json(g));
  }
  if (!plan.primes.empty()) json["primes"] = plan.primes;
  json["privacy"] = {{"inferences", plan.privacy.inferences}};
  json["reveal"] = plan.reveal == plan::Reveal::label ? "label" : "logits";
  if (plan.reveal == plan::Reveal::label) json["argmax_engine"] = plan.argmax_engine;
  return json;
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
  if (json.contains("batch_groups")) {
    for (const Json& g : json.at("batch_groups")) plan.batch_groups.push_back(batch_group_from(g));
  }
  if (json.contains("primes")) plan.primes = json.at("primes").get<std::vector<std::uint64_t>>();
  plan.privacy.inferences = json.at("privacy").at("inferences").get<std::uint64_t>();
  const auto reveal = json.at("reveal").get<std::string>();
  if (reveal != "logits" && reveal != "label") {
    fail_input("the package reveals \"{}\", which this version does not know; it knows: logits, label",
               reveal);
  }
  if (reveal == "label") {
    plan.reveal = plan::Reveal::label;
    plan.argmax_engine = json.at("argmax_engine").get<std::string>();
  }
  plan.modulus_bits = json.at("modulus_bits").get<std::vector<int>>();
  for (const Json& c : json.at("linears")) plan.linears.push_back(linear_from(c));
  for (const Json& c : json.at("activations")) plan.activations.push_back(activation_from(c));
  return plan;
}

}  // namespace ap::package

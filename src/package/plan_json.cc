// The plan as JSON: the second half of the public part of a package (package/network_json.h).
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "package/network_json.h"

namespace ap::package {
namespace {

// What no plan goes beyond; plan::validate knows the limits that depend on the rest of the plan.
constexpr std::size_t kMaxWordBytes = 64;  ///< names of policies, protocols and packings
constexpr std::size_t kMaxNodes = 10'000, kMaxPrimes = 64, kMaxGroups = 1000;
constexpr int kMaxNode = static_cast<int>(kMaxNodes) - 1, kMaxGroup = static_cast<int>(kMaxGroups) - 1;
constexpr int kMaxBits = 4096;      ///< of any modulus
constexpr int kMaxCount = 1 << 26;  ///< of rows, columns, channels and groups
constexpr std::uint32_t kMaxDegree = 1 << 16;
constexpr double kLeastTargetLog2 = -1000, kLeastSumLog2 = -1000, kRounding = 1e-3;
/// A layer's own rate may be far smaller, because it is computed from its error.
constexpr double kLeastFailureLog2 = -1e24, kLeastError = 1e-12, kMaxError = 1e12;
constexpr double kMaxSeconds = 1e9, kMaxLambda = 10'000;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 50;

template <typename Method>
Method method_of(std::optional<Method> method, const JsonReader& json) {
  if (!method) json.refuse("a packing that this version knows");
  return *method;
}

Json simd_json(const plan::SimdChoice& b) {
  return {{"conv", linear::name_of(b.conv)},
          {"fc", linear::name_of(b.fc)},
          {"statistical_bits", b.statistical_bits},
          {"flood_bits", b.flood_bits},
          {"reply_level", b.reply_level}};
}

plan::SimdChoice simd_from(const JsonReader& j) {
  plan::SimdChoice b;
  const JsonReader conv = j.at("conv"), fc = j.at("fc");
  b.conv = method_of(linear::conv_method(conv.text(kMaxWordBytes)), conv);
  b.fc = method_of(linear::fc_method(fc.text(kMaxWordBytes)), fc);
  b.statistical_bits = j.at("statistical_bits").integer<int>(1, kMaxBits);
  b.flood_bits = j.at("flood_bits").integer<int>(0, kMaxBits);
  b.reply_level = j.at("reply_level").integer<int>(1, kMaxPrimes);
  return b;
}

Json batch_group_json(const bfv::BatchParameters& g) {
  return {{"n", g.n},
          {"plain_primes", g.plain_primes},
          {"data_primes", g.data_primes},
          {"special_primes", g.special_primes},
          {"digits", g.digits}};
}

std::uint32_t degree_from(const JsonReader& j) { return j.integer<std::uint32_t>(1, kMaxDegree); }
std::vector<std::uint64_t> primes_from(const JsonReader& j) {
  return j.integers<std::uint64_t>(kMaxPrimes, 2);
}

bfv::BatchParameters batch_group_from(const JsonReader& j) {
  bfv::BatchParameters g;
  g.n = degree_from(j.at("n"));
  g.plain_primes = primes_from(j.at("plain_primes"));
  g.data_primes = primes_from(j.at("data_primes"));
  g.special_primes = primes_from(j.at("special_primes"));
  g.digits = j.at("digits").integer<std::uint32_t>(0, kMaxPrimes);
  return g;
}

Json linear_json(const plan::LinearChoice& c) {
  // What is of coefficient packing alone stands in every layer.
  const plan::CoefficientChoice unused;
  const plan::CoefficientChoice& replies = c.coefficient() ? *c.coefficient() : unused;
  const linear::Packing& p = replies.packing;
  Json json = {{"node", c.node},
               {"group", c.group},
               {"log2_p", c.log2_p},
               {"packing",
                {{"window", {p.window_h, p.window_w}},
                 {"channels_in", p.channels_in},
                 {"channels_out", p.channels_out},
                 {"groups", p.groups},
                 {"phases", p.phases}}},
               {"drop", {replies.c0_dropped_bits, replies.c1_dropped_bits}},
               {"noise_step", c.noise_step},
               {"error_std", c.error_std},
               {"failure_log2", c.failure_log2},
               {"predicted_s", c.predicted_s},
               {"predicted_bytes", c.predicted_bytes}};
  if (const plan::SimdChoice* simd = c.simd()) json["batched"] = simd_json(*simd);
  return json;
}

linear::Packing packing_from(const JsonReader& j) {
  const JsonReader window = j.at("window");
  window.expect_size(2);
  linear::Packing p;
  p.window_h = window.element(0).integer<int>(0, kMaxCount);
  p.window_w = window.element(1).integer<int>(0, kMaxCount);
  p.channels_in = j.at("channels_in").integer<int>(1, kMaxCount);
  p.channels_out = j.at("channels_out").integer<int>(1, kMaxCount);
  p.groups = j.at("groups").integer<int>(1, kMaxCount);
  p.phases = j.at("phases").boolean();
  return p;
}

double seconds_from(const JsonReader& j) { return j.number(0, kMaxSeconds); }
std::uint64_t bytes_from(const JsonReader& j) { return j.integer<std::uint64_t>(0, kMaxBytes); }

plan::LinearChoice linear_from(const JsonReader& j) {
  const JsonReader drop = j.at("drop");
  drop.expect_size(2);
  plan::LinearChoice c;
  c.node = j.at("node").integer<int>(0, kMaxNode);
  c.group = j.at("group").integer<int>(0, kMaxGroup);
  c.log2_p = j.at("log2_p").integer<int>(1, kMaxBits);
  c.packing =
      plan::CoefficientChoice{packing_from(j.at("packing")), drop.element(0).integer<int>(0, kMaxBits),
                              drop.element(1).integer<int>(0, kMaxBits)};
  c.noise_step = j.at("noise_step").integer<std::uint64_t>();
  if (j.has("batched")) c.packing = simd_from(j.at("batched"));
  // On coefficient packing no result is free of errors.
  c.error_std = j.at("error_std").number(c.simd() ? 0 : kLeastError, kMaxError);
  c.failure_log2 = j.at("failure_log2").number(kLeastFailureLog2, 0);
  c.predicted_s = seconds_from(j.at("predicted_s"));
  c.predicted_bytes = bytes_from(j.at("predicted_bytes"));
  return c;
}

Json activation_json(const plan::ActivationChoice& c) {
  Json json = {{"node", c.node},
               {"engine", c.protocol},
               {"sum_bits", c.truncation.sum_bits},
               {"shift", c.truncation.shift},
               {"guard_bits", c.truncation.guard_bits},
               {"out_bits", c.out_bits},
               {"predicted_s", c.predicted_s},
               {"predicted_bytes", c.predicted_bytes}};
  if (c.argument.sum_bits > 0) {  // a quadratic
    json["argument"] = {
        {"bits", c.argument.sum_bits}, {"shift", c.argument.shift}, {"guard_bits", c.argument.guard_bits}};
  }
  return json;
}

/// `width` is the key of sum_bits.
plan::Truncation truncation_from(const JsonReader& j, const char* width) {
  return {j.at(width).integer<int>(1, kMaxBits), j.at("shift").integer<int>(0, kMaxBits),
          j.at("guard_bits").integer<int>(0, kMaxBits)};
}

plan::ActivationChoice activation_from(const JsonReader& j) {
  plan::ActivationChoice c;
  c.node = j.at("node").integer<int>(0, kMaxNode);
  c.protocol = j.at("engine").text(kMaxWordBytes);
  c.truncation = truncation_from(j, "sum_bits");
  c.out_bits = j.at("out_bits").integer<int>(1, kMaxBits);
  if (j.has("argument")) c.argument = truncation_from(j.at("argument"), "bits");
  c.predicted_s = seconds_from(j.at("predicted_s"));
  c.predicted_bytes = bytes_from(j.at("predicted_bytes"));
  return c;
}

/// use(element) for each of an array.
template <typename Use>
void for_each(const JsonReader& array, std::size_t most, const Use& use) {
  const std::size_t count = array.size(most);
  for (std::size_t i = 0; i < count; ++i) use(array.element(i));
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
  // Only where something packs for SIMD.
  if (!plan.batch_groups.empty()) {
    Json& batch = json["batch_groups"] = Json::array();
    for (const bfv::BatchParameters& g : plan.batch_groups) batch.push_back(batch_group_json(g));
  }
  if (!plan.primes.empty()) json["primes"] = plan.primes;
  json["privacy"] = {{"inferences", plan.privacy.inferences}};
  json["reveal"] = plan.reveal == plan::Reveal::label ? "label" : "logits";
  if (plan.reveal == plan::Reveal::label) json["argmax_engine"] = plan.argmax_protocol;
  return json;
}

plan::Plan plan_from_json(const JsonReader& json) {
  plan::Plan plan;
  plan.policy = json.at("policy").text(kMaxWordBytes);
  plan.target_failure_log2 = json.at("target_failure_log2").number(kLeastTargetLog2, 0);
  plan.failure_log2 =
      json.at("failure_log2").number(kLeastSumLog2, std::min(0.0, plan.target_failure_log2 + kRounding));
  plan.min_lambda_bits = json.at("min_lambda_bits").number(0, kMaxLambda);
  for_each(json.at("groups"), kMaxGroups, [&](const JsonReader& g) {
    plan.groups.push_back({degree_from(g.at("n")), primes_from(g.at("primes"))});
  });
  if (json.has("batch_groups")) {
    for_each(json.at("batch_groups"), kMaxGroups,
             [&](const JsonReader& g) { plan.batch_groups.push_back(batch_group_from(g)); });
  }
  if (json.has("primes")) plan.primes = json.at("primes").integers<std::uint64_t>(kMaxNodes);
  plan.privacy.inferences = json.at("privacy").at("inferences").integer<std::uint64_t>();
  const std::string reveal = json.at("reveal").text(kMaxWordBytes);
  if (reveal == "label") {
    plan.reveal = plan::Reveal::label;
    plan.argmax_protocol = json.at("argmax_engine").text(kMaxWordBytes);
  } else if (reveal != "logits") {
    json.at("reveal").refuse("\"logits\" or \"label\"");
  }
  plan.modulus_bits = json.at("modulus_bits").integers<int>(kMaxNodes, 1, kMaxBits);
  for_each(json.at("linears"), kMaxNodes,
           [&](const JsonReader& c) { plan.linears.push_back(linear_from(c)); });
  for_each(json.at("activations"), kMaxNodes,
           [&](const JsonReader& c) { plan.activations.push_back(activation_from(c)); });
  return plan;
}

}  // namespace ap::package

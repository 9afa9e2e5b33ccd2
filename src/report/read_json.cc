#include "report/read_json.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "report/policy_style.h"

namespace ap::report {
namespace {

constexpr std::size_t kMostRows = 1000, kMostLayers = 10'000, kMostEpisodes = 100'000, kMostNotes = 100;
constexpr double kMostSeconds = 1e9, kMostBytes = 1e15, kMostCount = 1e12, kMostBits = 1e6;

/// One object of a file, with a name for messages.
class Object {
 public:
  Object(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {
    if (!json.is_object()) fail_input("{} is not an object", where_);
  }

  bool has(const char* key) const { return json_->contains(key) && !json_->at(key).is_null(); }

  std::optional<double> maybe(const char* key, double low, double high) const {
    if (!has(key)) return std::nullopt;
    const Json& value = json_->at(key);
    if (!value.is_number()) fail_input("{}: {} is not a number", where_, key);
    const auto v = value.get<double>();
    if (!(v >= low && v <= high)) fail_input("{}: {} is {}, outside {} to {}", where_, key, v, low, high);
    return v;
  }
  double number(const char* key, double low, double high) const {
    const auto value = maybe(key, low, high);
    if (!value) fail_input("{}: {} is missing", where_, key);
    return *value;
  }
  std::string text(const char* key) const {
    if (!has(key)) return {};
    if (!json_->at(key).is_string()) fail_input("{}: {} is not a string", where_, key);
    return json_->at(key).get<std::string>();
  }
  std::string required_text(const char* key) const {
    std::string value = text(key);
    if (value.empty()) fail_input("{}: {} is missing", where_, key);
    return value;
  }
  Object child(const char* key) const {
    if (!has(key)) fail_input("{}: {} is missing", where_, key);
    return {json_->at(key), where_ + ": " + key};
  }
  const Json& list(const char* key, std::size_t most) const {
    static const Json kEmpty = Json::array();
    if (!has(key)) return kEmpty;
    const Json& value = json_->at(key);
    if (!value.is_array()) fail_input("{}: {} is not a list", where_, key);
    if (value.size() > most)
      fail_input("{}: {} has {} entries, at most {} are read", where_, key, value.size(), most);
    return value;
  }
  const Json& at(const char* key) const { return json_->at(key); }
  const std::string& where() const { return where_; }

 private:
  const Json* json_;
  std::string where_;
};

Layer read_layer(const Object& json) {
  Layer layer;
  layer.name = json.text("name");
  layer.op = json.text("op");
  layer.packing = json.text("packing");
  layer.activation = json.text("activation");
  layer.n = json.maybe("n", 1, 1 << 20);
  layer.log2_q = json.maybe("log2_q", 0, 10'000);
  layer.log2_p = json.maybe("log2_p", 0, 10'000);
  layer.tau_lsb = json.maybe("tau_lsb", 0, 1e30);
  const auto der = json.maybe("der_ciphertext", 0, 1e6);
  // Zero is a rate below the smallest number that a double holds. A union bound may exceed one.
  if (der) layer.der_log2 = *der > 0 ? std::min(0.0, std::log2(*der)) : -1075;
  layer.lambda_bits = json.maybe("lambda_bits", 0, kMostBits);
  layer.predicted_s = json.maybe("predicted_s", 0, kMostSeconds).value_or(0);
  layer.predicted_bytes = json.maybe("predicted_bytes", 0, kMostBytes).value_or(0);
  return layer;
}

PlanView read_plan(const Object& json, const std::string& source) {
  PlanView plan;
  plan.source = source;
  plan.policy = policy_of_today(json.required_text("policy"));
  plan.min_lambda_bits = json.maybe("min_lambda_bits", 0, kMostBits);
  for (const Json& layer : json.list("layers", kMostLayers)) {
    plan.layers.push_back(
        read_layer({layer, fmt::format("{}: layers[{}]", json.where(), plan.layers.size())}));
  }
  for (const Layer& layer : plan.layers) {
    plan.predicted_s += layer.predicted_s;
    plan.predicted_bytes += layer.predicted_bytes;
  }
  return plan;
}

Phase read_phase(const Object& json) {
  return {json.number("seconds", 0, kMostSeconds), json.maybe("cpu_s", 0, kMostSeconds).value_or(0),
          json.number("mb", 0, kMostBytes)};
}

void read_rows(const Object& file, const std::string& source, Data& data) {
  const std::string machine = file.text("machine");
  for (const Json& entry : file.list("rows", kMostRows)) {
    const Object json(entry, fmt::format("{}: rows[{}]", source, data.rows.size()));
    Row row;
    row.network = json.required_text("network");
    row.policy = policy_of_today(json.required_text("policy"));
    row.source = source;
    row.machine = machine;
    row.offline = read_phase(json.child("offline"));
    row.online = read_phase(json.child("online"));
    row.top1 = json.maybe("top1", 0, 1);
    row.top1_clear = json.maybe("top1_clear", 0, 1);
    if (json.has("top1_interval")) {
      const Json& interval = json.list("top1_interval", 2);
      const auto bound = [&](std::size_t i) -> std::optional<double> {
        if (interval.size() != 2 || !interval.at(i).is_number()) return std::nullopt;
        const auto v = interval.at(i).get<double>();
        if (!(v >= 0 && v <= 1)) fail_input("{}: top1_interval holds {}, outside 0 to 1", json.where(), v);
        return v;
      };
      row.interval_low = bound(0);
      row.interval_high = bound(1);
    }
    row.images = json.maybe("images", 0, kMostCount);
    // Of the images, or (as `infer` prints it) a fraction of them.
    row.agree_clear = json.maybe("agree_clear", 0, kMostCount);
    row.simulated_images = json.maybe("simulated_images", 0, kMostCount);
    row.min_lambda_bits = json.maybe("min_lambda_bits", 0, kMostBits);
    row.search_s = json.maybe("search_s", 0, kMostSeconds);
    for (const Json& note : json.list("notes", kMostNotes)) {
      if (note.is_string()) row.notes.push_back(note.get<std::string>());
    }
    if (row_of(data, row.network, row.policy)) {
      fail_input("{} gives network {} with policy {} a second time; leave one of the two out", json.where(),
                 row.network, row.policy);
    }
    if (json.has("layers")) {
      PlanView plan = read_plan(json, source);
      plan.network = row.network;
      data.plans.push_back(std::move(plan));
    }
    data.rows.push_back(std::move(row));
  }
}

void read_search(const Object& json, const std::string& source, const std::string& label, Data& data) {
  Search search;
  search.label = label;
  search.source = source;
  search.policy = policy_of_today(json.required_text("policy"));
  search.finished = json.has("finished") && json.at("finished") == true;
  search.search_s = json.maybe("search_s", 0, kMostSeconds);
  for (const Json& entry : json.list("trace", kMostEpisodes)) {
    const Object e(entry, fmt::format("{}: trace[{}]", source, search.trace.size()));
    search.trace.push_back({e.number("episode", 0, kMostCount), e.number("reward", -kMostCount, kMostCount),
                            e.number("seconds", 0, kMostSeconds), e.number("loss", -1, 1),
                            e.maybe("expected_loss", -1, kMostCount)});
  }
  for (const Json& entry : json.list("evaluations", kMostEpisodes)) {
    const Object e(entry, fmt::format("{}: evaluations[{}]", source, search.evaluations.size()));
    search.evaluations.push_back({e.number("seconds", 0, kMostSeconds), e.number("loss", -1, 1)});
    if (json.has("choice") && e.has("choice") && e.at("choice") == json.at("choice")) {
      search.chosen = search.evaluations.back();
    }
  }
  data.searches.push_back(std::move(search));
}

}  // namespace

void read_json(const Json& json, const std::string& source, const std::string& label, Data& data) {
  const Object file(json, source);
  if (file.has("rows")) {
    read_rows(file, source, data);
  } else if (file.has("evaluations")) {
    read_search(file, source, label, data);
  } else if (file.has("layers") && file.has("policy")) {
    PlanView plan = read_plan(file, source);
    plan.network = label;
    data.plans.push_back(std::move(plan));
  } else {
    fail_input(
        "{} is none of what report draws: results.json of bench/results (key rows), search.json of a "
        "search (key evaluations) or the output of compile --json (keys policy, layers)",
        source);
  }
}

}  // namespace ap::report

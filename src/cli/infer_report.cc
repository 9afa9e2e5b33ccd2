#include "cli/infer_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/printable.h"
#include "cli/table.h"
#include "protocol/hybrid/client.h"

namespace ap::cli {
namespace {

/// As many decimals as show four digits of the largest score.
int decimals_of(std::span<const app::Logits> logits, double scale) {
  constexpr int kDigits = 4, kLeast = 2, kMost = 12;
  double largest = 0;
  for (const app::Logits& row : logits) {
    for (const std::int64_t logit : row)
      largest = std::max(largest, std::abs(static_cast<double>(logit)) * scale);
  }
  if (largest == 0) return kLeast;
  return std::clamp(kDigits - static_cast<int>(std::ceil(std::log10(largest))), kLeast, kMost);
}

Json answers_json(const InferResults& r) {
  Json answers = Json::array();
  for (std::size_t i = 0; i < r.run.labels.size(); ++i) {
    const int label = r.run.labels[i];
    const bool none = label == protocol::kNoClass;
    Json answer = {{"input", input_name(r.data, i)},
                   {"label", none ? Json(nullptr) : Json(label)},
                   {"name", none ? Json(nullptr) : Json(app::class_name(r.package, label))}};
    if (r.data.has_labels()) answer["true_label"] = r.data.labels[i];
    answer["scores"] =
        r.run.logits.empty() ? Json::array() : Json(app::scores(r.package.network, r.run.logits[i]));
    answer["saturated"] = r.saturated[i];
    answer["offline_s"] = r.run.offline_s[i];
    answer["online_s"] = r.run.online_s[i];
    answers.push_back(std::move(answer));
  }
  return answers;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::size_t InferResults::saturated_values() const {
  return std::accumulate(saturated.begin(), saturated.end(), std::size_t{0});
}

Json input_name(const nn::Dataset& data, std::size_t i) {
  return data.names.empty() ? Json(data.first + static_cast<std::int64_t>(i)) : Json(data.names[i]);
}

std::string printable_input(const nn::Dataset& data, std::size_t i) {
  const Json input = input_name(data, i);
  return printable(input.is_string() ? input.get<std::string>() : input.dump());
}

std::string sentence_of(const InferResults& r) {
  const auto first = static_cast<std::size_t>(r.data.first);
  return fmt::format("{}; {} of {} images are answered, go on with --range {}:{}", r.run.lost->what(),
                     r.run.labels.size(), r.asked, first + r.run.labels.size(), first + r.asked);
}

Json cost_json(const protocol::Cost& cost, bool server_told) {
  return {{"seconds", cost.seconds},
          {"client_cpu_s", cost.client_cpu_s},
          {"server_cpu_s", server_told ? Json(cost.server_cpu_s) : Json(nullptr)},
          {"bytes_up", cost.bytes_up},
          {"bytes_down", cost.bytes_down}};
}

Json memory_json(std::uint64_t client, std::uint64_t server) {
  return {{"client", client}, {"server", server > 0 ? Json(server) : Json(nullptr)}};
}

Json json_of(const InferResults& r) {
  const auto images = static_cast<double>(r.run.labels.size());
  const bool told = r.run.mean.server_told;
  Json layers = Json::array();
  for (const protocol::LayerCost& layer : r.run.mean.layers) {
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"engine", layer.protocol},
                      {"offline", cost_json(layer.offline, told)},
                      {"online", cost_json(layer.online, told)}});
  }
  Json labels = Json::array(), names = Json::array();
  for (const int c : r.run.labels) {
    const bool none = c == protocol::kNoClass;
    labels.push_back(none ? Json(nullptr) : Json(c));
    names.push_back(none ? Json(nullptr) : Json(app::class_name(r.package, c)));
  }
  Json json = {{"images", r.run.labels.size()},    {"top1", r.top1 ? Json(*r.top1) : Json(nullptr)},
               {"agree_clear", nullptr},           {"max_abs_logit_error", nullptr},
               {"labels", std::move(labels)},      {"answers", answers_json(r)},
               {"saturated", r.saturated_values()}};
  if (r.agreement) {
    json["agree_clear"] = static_cast<double>(r.agreement->same_class) / images;
    if (r.agreement->max_logit_error) json["max_abs_logit_error"] = *r.agreement->max_logit_error;
  }
  if (!r.package.labels.empty()) json["label_names"] = std::move(names);
  json["from_store"] = r.run.mean.from_store;
  json["offline"] = cost_json(r.run.mean.offline, told);
  json["online"] = cost_json(r.run.mean.online, told);
  json["layers"] = std::move(layers);
  json["activation_choice"] = r.run.choice;
  json["peak_rss_bytes"] = memory_json(r.run.client_peak_rss, r.run.mean.server_peak_rss);
  if (r.run.lost) {
    json["error"] = sentence_of(r);
    json["exit_status"] = r.run.lost->exit_status();
  }
  return json;
}

std::string text_of(const InferResults& r, std::size_t top) {
  using enum Table::Align;
  const bool labelled = r.data.has_labels();
  std::vector<Table::Column> columns = {r.data.names.empty() ? Table::Column{"image"}
                                                             : Table::Column{"image", left}};
  if (labelled) columns.push_back({"true label", left});
  const auto classes = static_cast<std::size_t>(r.package.network.output_shape().size());
  const bool labels_alone = r.run.logits.empty();
  const std::size_t shown = labels_alone ? 1 : std::min(top, classes);
  const bool one_output = classes == 1;
  for (std::size_t k = 0; k < shown; ++k)
    columns.push_back({one_output ? "output (score)" : k == 0 ? "best" : fmt::format("#{}", k + 1), left});
  if (one_output) columns.push_back({"class", left});
  Table table(columns);
  const double scale = r.package.network.nodes.back().scale;
  const int decimals = decimals_of(r.run.logits, scale);
  for (std::size_t i = 0; i < r.run.labels.size(); ++i) {
    std::vector<std::string> cells = {printable_input(r.data, i)};
    if (labelled) cells.push_back(app::class_name(r.package, r.data.labels[i]));
    if (labels_alone) {
      cells.push_back(app::class_name(r.package, r.run.labels[i]));
      table.row(std::move(cells));
      continue;
    }
    for (const std::size_t c : app::top_classes(r.run.logits[i], shown)) {
      const std::string name = one_output ? "0" : app::class_name(r.package, static_cast<int>(c));
      cells.push_back(
          fmt::format("{} ({:.{}f})", name, static_cast<double>(r.run.logits[i][c]) * scale, decimals));
    }
    if (one_output) cells.push_back(app::class_name(r.package, r.run.labels[i]));
    table.row(std::move(cells));
  }
  std::string out = table.text() + "\n";
  Table costs({{"per image", left}, {"wall"}, {"client CPU"}, {"server CPU"}, {"sent"}, {"received"}});
  const auto cost_row = [&](const char* name, const protocol::Cost& c) {
    costs.row({name, format_seconds(c.seconds), format_seconds(c.client_cpu_s),
               r.run.mean.server_told ? format_seconds(c.server_cpu_s) : "-",
               format_bytes(static_cast<double>(c.bytes_up)),
               format_bytes(static_cast<double>(c.bytes_down))});
  };
  protocol::Cost total = r.run.mean.offline;
  total += r.run.mean.online;
  const bool all_stored = r.run.mean.from_store == r.run.labels.size();
  cost_row(all_stored ? "offline (from store)" : "offline", r.run.mean.offline);
  cost_row("online", r.run.mean.online);
  cost_row("total", total);
  out += costs.text();
  out += fmt::format(
      "\npeak memory: client {}, server {}\n", format_bytes(static_cast<double>(r.run.client_peak_rss)),
      r.run.mean.server_peak_rss > 0 ? format_bytes(static_cast<double>(r.run.mean.server_peak_rss))
                                     : "not told");
  out += printable(r.run.choice) + "\n";
  if (r.run.mean.from_store > 0) {
    out += fmt::format("prepared ahead, from the store: {} of {} inferences\n", r.run.mean.from_store,
                       r.run.labels.size());
  }
  if (r.saturated_values() > 0) {
    out +=
        fmt::format("outside the calibrated range, and cut to its ends: {} of {} values\n",
                    r.saturated_values(), r.saturated.size() * static_cast<std::size_t>(r.data.shape.size()));
  }
  if (r.top1) out += fmt::format("correct: {:.1f} % of {} images\n", 100 * *r.top1, r.run.labels.size());
  if (r.agreement) {
    out += fmt::format("same label as the clear network: {} of {}", r.agreement->same_class,
                       r.run.labels.size());
    if (r.agreement->max_logit_error) {
      out += fmt::format("; largest logit difference: {} accumulator units", *r.agreement->max_logit_error);
    }
    out += "\n";
  }
  return out;
}

std::string csv_of(const InferResults& r) {
  std::string out = "input,label,name,true_label,saturated";
  const auto outputs = static_cast<std::size_t>(r.package.network.output_shape().size());
  const bool has_scores = !r.run.logits.empty();
  for (std::size_t c = 0; has_scores && c < outputs; ++c) {
    out += "," + csv_field("score_" + (outputs == 1 ? "0" : app::class_name(r.package, static_cast<int>(c))));
  }
  out += "\n";
  for (std::size_t i = 0; i < r.run.labels.size(); ++i) {
    const int label = r.run.labels[i];
    const bool none = label == protocol::kNoClass;
    const Json input = input_name(r.data, i);
    out += csv_field(input.is_string() ? input.get<std::string>() : input.dump());
    out += none ? ",," : fmt::format(",{},{}", label, csv_field(app::class_name(r.package, label)));
    out += r.data.has_labels() ? fmt::format(",{},{}", r.data.labels[i], r.saturated[i])
                               : fmt::format(",,{}", r.saturated[i]);
    if (has_scores) {
      for (const double score : app::scores(r.package.network, r.run.logits[i]))
        out += fmt::format(",{:.9g}", score);
    }
    out += "\n";
  }
  return out;
}

}  // namespace ap::cli

// The section on each network under each policy, measured or predicted.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"

namespace ap::report {
namespace {

const std::string kDash = "\xE2\x80\x93", kTimes = "\xC3\x97", kMinus = "\xE2\x88\x92";

std::string change(double value, const Row* baseline, double base) {
  if (!baseline || !(base > 0)) return kDash;
  const double relative = 100 * (value / base - 1);
  return fmt::format("{}{:.1f} %", relative < 0 ? kMinus : "+", std::abs(relative));
}

std::string agreement(const Row& row) {
  if (!row.agree_clear || !row.images) return kDash;
  // bench/results keeps a count, or infer's fraction.
  const double count =
      *row.agree_clear <= 1 && *row.images > 1 ? *row.agree_clear * *row.images : *row.agree_clear;
  return fmt::format("{:.0f} of {:.0f}", count, *row.images);
}

std::string measured_table(const Data& data, const std::string& network) {
  const std::vector<const Row*> rows = rows_of(data, network);
  if (rows.empty()) return {};
  const Row* baseline = row_of(data, network, "delphi");
  HtmlTable table(fmt::format("{}: private inferences, measured, means per image", network),
                  {{"policy", false},
                   {"total s"},
                   {"vs delphi"},
                   {"offline s"},
                   {"online s"},
                   {"MB"},
                   {"MB vs delphi"},
                   {"top-1"},
                   {"95 % interval"},
                   {"clear top-1"},
                   {"same label"},
                   {"security, bits"},
                   {"search s"}});
  const Row* fastest = *std::ranges::min_element(rows, {}, &Row::seconds);
  std::set<std::string> machines, sources;
  for (const Row* row : rows) {
    const std::string interval =
        row->interval_low && row->interval_high
            ? fmt::format("{:.2f} to {:.2f} %", 100 * *row->interval_low, 100 * *row->interval_high)
            : kDash;
    table.row({row->policy, number(row->seconds(), 4),
               change(row->seconds(), baseline, baseline ? baseline->seconds() : 0),
               number(row->offline.seconds, 4), number(row->online.seconds, 4), number(row->mb(), 4),
               change(row->mb(), baseline, baseline ? baseline->mb() : 0), percent(row->top1, 2), interval,
               percent(row->top1_clear, 2), agreement(*row), fixed(row->min_lambda_bits, 1),
               number(row->search_s, 3)},
              row == fastest ? "best" : "");
    machines.insert(row->machine.empty() ? "a machine that the file does not name" : row->machine);
    sources.insert(row->source);
  }
  std::string html = table.html();
  html += source_note(fmt::format(
      "Measured by bench/results ({}) on {}. Top-1 is simulated with the errors of "
      "the plan, over {} images and several error seeds; same label: as the clear "
      "network gives. The shaded row is the fastest.",
      fmt::join(sources, ", "), fmt::join(machines, "; "), fixed(rows.front()->simulated_images, 0)));
  std::string notes;
  for (const Row* row : rows) {
    for (const std::string& note : row->notes) {
      notes += fmt::format("<li><b>{}</b>: {}</li>", escape(row->policy), escape(note, 600));
    }
  }
  if (!notes.empty())
    html += fmt::format("<details><summary>Notes of the plans of {}</summary><ul>{}</ul></details>",
                        escape(network), notes);
  return html;
}

std::string range_text(const PlanView& plan, std::optional<double> Layer::*member) {
  std::optional<double> low, high;
  for (const Layer* layer : plan.linears()) {
    const std::optional<double>& v = layer->*member;
    if (!v) continue;
    low = low ? std::min(*low, *v) : *v;
    high = high ? std::max(*high, *v) : *v;
  }
  if (!low) return kDash;
  const auto text = [](double v) {
    return std::abs(v - std::round(v)) < 0.05 ? fmt::format("{:.0f}", v) : fmt::format("{:.1f}", v);
  };
  return *low == *high ? text(*low) : text(*low) + " to " + text(*high);
}

std::string plans_table(const Data& data, const std::string& network) {
  const std::vector<const PlanView*> plans = plans_of(data, network);
  if (plans.empty()) return {};
  HtmlTable table(fmt::format("{}: what the plans predict, per image", network), {{"policy", false},
                                                                                  {"linear layers"},
                                                                                  {"N"},
                                                                                  {"log2 q"},
                                                                                  {"log2 p"},
                                                                                  {"work s"},
                                                                                  {"bytes"},
                                                                                  {"security, bits"}});
  std::set<std::string> sources;
  for (const PlanView* plan : plans) {
    table.row({plan->policy, fmt::format("{}", plan->linears().size()), range_text(*plan, &Layer::n),
               range_text(*plan, &Layer::log2_q), range_text(*plan, &Layer::log2_p),
               number(plan->predicted_s, 4), bytes(plan->predicted_bytes), fixed(plan->min_lambda_bits, 1)});
    sources.insert(plan->source);
  }
  return table.html() +
         source_note(fmt::format("Predicted by the cost model: work of both parties on one core, without the "
                                 "link; from the plans in {}.",
                                 fmt::join(sources, ", ")));
}

std::string tiles(const Data& data, const std::vector<std::string>& networks) {
  std::string out;
  for (const std::string& network : networks) {
    const Row* baseline = row_of(data, network, "delphi");
    const std::vector<const Row*> rows = rows_of(data, network);
    if (!baseline || rows.size() < 2) continue;
    const Row* fastest = *std::ranges::min_element(rows, {}, &Row::seconds);
    if (!(fastest->seconds() > 0)) continue;
    out +=
        fmt::format("<li><b>{}{}</b>{}: {} takes {} s instead of {} s",
                    number(baseline->seconds() / fastest->seconds(), 3), kTimes + " faster", escape(network),
                    escape(fastest->policy), number(fastest->seconds()), number(baseline->seconds()));
    if (fastest->mb() > 0) {
      out += fmt::format("<br><span>{}{} fewer bytes: {} instead of {}</span>",
                         number(baseline->mb() / fastest->mb(), 2), kTimes, bytes(fastest->mb() * 1e6),
                         bytes(baseline->mb() * 1e6));
    }
    if (fastest->top1 && fastest->top1_clear) {
      out += fmt::format("<br><span>top-1 {} ({} without errors)</span>", percent(fastest->top1, 2),
                         percent(fastest->top1_clear, 2));
    }
    out += "</li>";
  }
  return out.empty() ? out : "<ul class=\"tiles\">" + out + "</ul>\n";
}

}  // namespace

Section summary_section(const Data& data) {
  Section section{"summary", "Networks and policies", {}, {}};
  const std::vector<std::string> networks = networks_of(data);
  section.html = tiles(data, networks);
  for (const std::string& network : networks) {
    section.html += fmt::format("<h3>{}</h3>\n", escape(network));
    section.html += measured_table(data, network) + plans_table(data, network);
  }
  section.missing =
      "needs compiled packages (autoprivacy compile ... --out DIR, then report DIR) or "
      "measured rows (bench/results writes docs/results/results.json).";
  return section;
}

}  // namespace ap::report

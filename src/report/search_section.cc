// The section on reward and latency by episode of each search.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"

namespace ap::report {
namespace {

// Episodes of a table, and points of a chart, spread evenly if there are more.
constexpr std::size_t kMostRows = 200, kMostPoints = 1500;

template <typename Visit>
void spread(std::size_t size, std::size_t most, Visit visit) {
  const std::size_t count = std::min(size, most);
  for (std::size_t i = 0; i < count; ++i) visit(count == 1 ? 0 : i * (size - 1) / (count - 1));
}

using Value = double (*)(const Episode&);

/// Faint points, and a line of the best so far if `better` orders values.
std::string chart_of(const Search& search, const char* title, const char* axis, Value value, bool rising,
                     const std::string& label, std::optional<double> chosen) {
  Chart chart(title, fmt::format("{} by episode; the table below has the values.", axis),
              Axis("episode", Scale::index), Axis(axis, Scale::linear));
  std::vector<XY> all, best;
  const int style = policy_style(search.policy);
  spread(search.trace.size(), kMostPoints, [&](std::size_t i) {
    const Episode& e = search.trace[i];
    all.push_back({e.episode,
                   value(e),
                   fmt::format("episode {}: {}", fmt::format("{:.0f}", e.episode), number(value(e), 4)),
                   {},
                   {}});
  });
  if (rising) {
    double most = -HUGE_VAL;
    for (const Episode& e : search.trace) {
      if (value(e) <= most) continue;
      most = value(e);
      best.push_back({e.episode, most, {}, {}, {}});
    }
    best.push_back({search.trace.back().episode, most, {}, {}, {}});
  }
  chart.series(std::move(all), {.style = style, .line = false, .faint = rising});
  chart.series(std::move(best), {.style = style, .steps = true, .markers = false, .label = label});
  if (chosen) chart.level(*chosen, fmt::format("chosen: {}", number(*chosen, 4)));
  return chart.empty() ? "" : chart.html();
}

std::string table_of(const Search& search) {
  HtmlTable table(fmt::format("{}, {}: episodes", search.label, search.policy),
                  {{"episode", false}, {"reward"}, {"predicted s"}, {"measured loss"}, {"expected loss"}});
  spread(search.trace.size(), kMostRows, [&](std::size_t i) {
    const Episode& e = search.trace[i];
    table.row({fmt::format("{:.0f}", e.episode), fmt::format("{:.4f}", e.reward), number(e.seconds, 4),
               percent(e.loss, 2), percent(e.expected_loss, 3)});
  });
  const std::string summary =
      search.trace.size() > kMostRows
          ? fmt::format("Table: {} of the {} episodes of {}", kMostRows, search.trace.size(), search.policy)
          : fmt::format("Table: episodes of {} ({})", search.policy, search.trace.size());
  return details(summary, table.html());
}

}  // namespace

Section search_section(const Data& data) {
  Section section{"search", "Searches, episode by episode", {}, {}};
  for (const Search& search : data.searches) {
    if (search.trace.empty()) continue;
    section.html +=
        fmt::format("<h3>{}, {}</h3>\n<div class=\"charts\">\n", escape(search.label), escape(search.policy));
    section.html += chart_of(search, "Reward", "reward (minus the error rate)",
                             [](const Episode& e) { return e.reward; }, true, "best", {});
    section.html += chart_of(
        search, "Predicted latency", "seconds per image", [](const Episode& e) { return e.seconds; }, false,
        "", search.chosen ? std::optional(search.chosen->seconds) : std::nullopt);
    section.html += chart_of(
        search, "Loss of top-1, simulated", "loss, percentage points",
        [](const Episode& e) { return 100 * e.loss; }, false, "",
        search.chosen ? std::optional(100 * search.chosen->loss) : std::nullopt);
    section.html += "</div>\n";
    section.html +=
        source_note(fmt::format("From {}: {} simulations{}. The reward is minus the error rate on the "
                                "search's own images, the latency is predicted "
                                "by the cost model, the loss is simulated with injected errors.",
                                search.source, search.evaluations.size(),
                                search.search_s ? fmt::format(", {} s", number(*search.search_s)) : ""));
    section.html += table_of(search);
  }
  section.missing = data.searches.empty() ? "needs the journal of a search: compile with --policy ddpg, dp, "
                                            "greedy or random and give OUT/search.json."
                                          : "the journals given hold no episodes yet: a search writes them "
                                            "when it ends (autoprivacy compile ... --resume).";
  return section;
}

}  // namespace ap::report

// The section on accuracy against latency.
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "report/chart.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"

namespace ap::report {
namespace {

// Simulated plans in one chart.
constexpr std::size_t kMostPoints = 1500;

std::vector<const Row*> rows_with_accuracy(const Data& data, const std::string& network) {
  std::vector<const Row*> rows = rows_of(data, network);
  std::erase_if(rows, [](const Row* row) { return !row->top1 || !(row->seconds() > 0); });
  return rows;
}

std::string measured(const Data& data, const std::string& network) {
  const std::vector<const Row*> rows = rows_with_accuracy(data, network);
  if (rows.empty()) return {};
  std::vector<double> x, y;
  for (const Row* row : rows) {
    x.push_back(row->seconds());
    y.push_back(*row->top1);
  }
  const std::vector<std::size_t> front = pareto_front(x, y);
  Chart chart(fmt::format("{}: latency and accuracy, measured", network),
              "A point for each policy; those joined by the line are beaten by "
              "no other. The table below has the values.",
              Axis("seconds per image, offline and online", Scale::decimal), Axis("top-1, %", Scale::linear));
  std::vector<XY> line;
  for (const std::size_t i : front) line.push_back({x[i], 100 * y[i], {}, {}, {}});
  chart.series(std::move(line), {.style = kStyles - 1, .steps = true, .markers = false});
  HtmlTable table(fmt::format("{}: seconds and accuracy", network),
                  {{"policy", false}, {"total s"}, {"top-1"}, {"on the front", false}});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    XY point{x[i],
             100 * y[i],
             fmt::format("{}: {} s, {}", rows[i]->policy, number(x[i], 4), percent(y[i], 2)),
             {},
             {}};
    if (rows[i]->interval_low && rows[i]->interval_high) {
      point.low = 100 * *rows[i]->interval_low;
      point.high = 100 * *rows[i]->interval_high;
    }
    chart.series({std::move(point)},
                 {.style = policy_style(rows[i]->policy), .line = false, .label = rows[i]->policy});
    table.row({rows[i]->policy, number(x[i], 4), percent(y[i], 2),
               std::ranges::find(front, i) == front.end() ? "no" : "yes"});
  }
  if (rows.front()->top1_clear) chart.level(100 * *rows.front()->top1_clear, "without errors");
  return chart.html() + details(fmt::format("Table: {}", network), table.html());
}

std::string simulated(const Search& search) {
  std::vector<double> x, y;
  for (const Simulated& s : search.evaluations) {
    x.push_back(s.seconds);
    y.push_back(-s.loss);
  }
  const std::vector<std::size_t> front = pareto_front(x, y);
  Chart chart(fmt::format("{}, {}: plans that the search simulated", search.label, search.policy),
              "A point for each plan; those joined by the line are beaten by "
              "no other. The table below has the latter.",
              Axis("predicted seconds per image", Scale::linear),
              Axis("loss of top-1, percentage points", Scale::linear));
  const int style = policy_style(search.policy);
  std::vector<XY> all, line;
  const std::size_t step = std::max<std::size_t>(1, (x.size() + kMostPoints - 1) / kMostPoints);
  for (std::size_t i = 0; i < x.size(); i += step) {
    all.push_back(
        {x[i], -100 * y[i], fmt::format("{} s, loss {}", number(x[i], 4), percent(-y[i], 2)), {}, {}});
  }
  HtmlTable table(fmt::format("{}, {}: the front", search.label, search.policy),
                  {{"predicted s", true}, {"loss of top-1"}});
  for (const std::size_t i : front) {
    line.push_back({x[i], -100 * y[i], {}, {}, {}});
    table.row({number(x[i], 4), percent(-y[i], 2)});
  }
  chart.series(std::move(all), {.style = style, .line = false, .faint = true});
  chart.series(std::move(line), {.style = style, .steps = true});
  if (search.chosen) {
    chart.series(
        {{search.chosen->seconds, 100 * search.chosen->loss, "the plan that the search chose", {}, {}}},
        {.style = 3, .line = false, .label = "chosen"});
  }
  return chart.html() + details(fmt::format("Table: front of {}", search.policy), table.html());
}

}  // namespace

std::vector<std::size_t> pareto_front(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<std::size_t> order(x.size()), front;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return x[a] != x[b] ? x[a] < x[b] : y[a] != y[b] ? y[a] > y[b] : a < b;
  });
  for (const std::size_t i : order) {
    if (front.empty() || y[i] > y[front.back()]) front.push_back(i);
  }
  return front;
}

Section pareto_section(const Data& data) {
  Section section{"pareto", "Latency and accuracy", {}, {}};
  std::string charts;
  std::set<std::string> sources;
  // A chart and its table are one cell of the grid.
  const auto add = [&](const std::string& html, const std::string& source) {
    if (html.empty()) return;
    charts += "<div>" + html + "</div>\n";
    sources.insert(source);
  };
  for (const std::string& network : networks_of(data)) {
    const std::string html = measured(data, network);
    if (!html.empty())
      add(html,
          rows_of(data, network).front()->source + " (" + rows_of(data, network).front()->machine + ")");
  }
  for (const Search& search : data.searches) {
    if (search.evaluations.size() > 1) add(simulated(search), search.source);
  }
  if (!charts.empty()) {
    section.html = "<div class=\"charts\">" + charts + "</div>\n" +
                   source_note(fmt::format("From {}. Bars are 95 % intervals over images and error seeds.",
                                           fmt::join(sources, ", ")));
  }
  section.missing =
      "needs measured rows with accuracies (results.json of bench/results) or the journal of a search "
      "(OUT/search.json).";
  return section;
}

}  // namespace ap::report

// The section on the parameters and the error of every layer.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <set>

#include "report/chart.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"

namespace ap::report {
namespace {

// Rates below 2^-64 are all the same to a reader.
constexpr double kLeastRate = -64;

std::string rate_text(const std::optional<double>& log2) {
  return log2 && *log2 < -1000 ? "below -1000" : fixed(log2, 1);
}

struct Quantity {
  const char* title;
  const char* axis;
  Scale scale;
  std::optional<double> (*value)(const Layer&);
  const char* unit;
};

// Noise in LSBs says nothing of SIMD batching, where a decryption failure is one of all slots.
const Quantity kQuantities[] = {
    {"Ring degree N", "N", Scale::binary, [](const Layer& l) { return l.n; }, ""},
    {"Ciphertext modulus", "log2 q, bits", Scale::linear, [](const Layer& l) { return l.log2_q; }, " bits"},
    {"Plaintext modulus", "log2 p, bits", Scale::linear, [](const Layer& l) { return l.log2_p; }, " bits"},
    {"Error budget tau of layers packed by coefficients", "tau, accumulator LSBs", Scale::decimal,
     [](const Layer& l) { return l.simd() ? std::nullopt : l.tau_lsb; }, " LSB"},
    {"Decryption-error rate of a ciphertext", "log2 DER, at least -64", Scale::linear,
     [](const Layer& l) {
       return l.der_log2 ? std::optional(std::max(*l.der_log2, kLeastRate)) : l.der_log2;
     },
     ""},
};

std::string chart_of(const Quantity& quantity, const std::vector<const PlanView*>& plans) {
  Chart chart(quantity.title,
              "One line for each policy over the linear layers; the table below has the values.",
              Axis("linear layer", Scale::index), Axis(quantity.axis, quantity.scale));
  // The baselines come last, on top: nobody else lies where they do; the controls first.
  for (const PlanView* plan : std::views::reverse(plans)) {
    std::vector<XY> points;
    double index = 0;
    for (const Layer* layer : plan->linears()) {
      ++index;
      const std::optional<double> value = quantity.value(*layer);
      if (!value) continue;
      points.push_back(
          {index,
           *value,
           fmt::format("{}, {}: {}{}", plan->policy, layer->name, number(*value, 4), quantity.unit),
           {},
           {}});
    }
    chart.series(std::move(points), {.style = policy_style(plan->policy), .label = plan->policy});
  }
  return chart.empty() ? "" : chart.html();
}

std::string table_of(const PlanView& plan) {
  HtmlTable table(fmt::format("{}, {}: every layer (from {})", plan.network, plan.policy, plan.source),
                  {{"layer", false},
                   {"operation", false},
                   {"packing or protocol", false},
                   {"N"},
                   {"log2 q"},
                   {"log2 p"},
                   {"tau, LSB"},
                   {"log2 DER"},
                   {"security, bits"},
                   {"predicted s"},
                   {"predicted bytes"}});
  for (const Layer& layer : plan.layers) {
    table.row({layer.name, layer.op, layer.linear() ? layer.packing : layer.activation, fixed(layer.n, 0),
               fixed(layer.log2_q, 1), fixed(layer.log2_p, 0), number(layer.tau_lsb),
               rate_text(layer.der_log2), fixed(layer.lambda_bits, 1), number(layer.predicted_s),
               bytes(layer.predicted_bytes)});
  }
  return table.html();
}

}  // namespace

Section layers_section(const Data& data) {
  Section section{"layers", "Parameters layer by layer", {}, {}};
  for (const std::string& network : networks_of(data)) {
    const std::vector<const PlanView*> plans = plans_of(data, network);
    if (plans.empty()) continue;
    std::vector<std::string> policies;
    std::set<std::string> sources;
    for (const PlanView* plan : plans) {
      policies.push_back(plan->policy);
      sources.insert(plan->source);
    }
    section.html += fmt::format("<h3>{}</h3>\n{}<div class=\"charts\">\n", escape(network), legend(policies));
    for (const Quantity& quantity : kQuantities) section.html += chart_of(quantity, plans);
    section.html += "</div>\n";
    section.html += source_note(fmt::format(
        "From the plans in {}. Layers are numbered in the order of evaluation.", fmt::join(sources, ", ")));
    std::string tables;
    for (const PlanView* plan : plans) tables += table_of(*plan);
    section.html += details(fmt::format("Tables: every layer of {}", network), tables);
  }
  if (!section.html.empty()) {
    section.html =
        "<p>The figure of the paper (Fig. 6), for our plans: what each policy gives each "
        "linear layer. tau is the standard deviation of the noise in units of the "
        "accumulator's last place; the next truncation throws the low bits away. DER is the "
        "probability that a ciphertext decrypts with an error.</p>\n" +
        section.html;
  }
  section.missing = "needs plans: give a compiled directory, or results.json of bench/results.";
  return section;
}

}  // namespace ap::report

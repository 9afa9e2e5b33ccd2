// The section on measured noise against its model.
#include <fmt/format.h>

#include <algorithm>

#include "report/chart.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"

namespace ap::report {
namespace {

std::string chart_of(const analysis::NoiseLayer& layer, const std::string& policy) {
  Chart chart(
      fmt::format("{}: N {:.0f}, q {:.0f} bits, p {:.0f} bits", layer.name, layer.n, layer.log2_q,
                  layer.log2_p),
      fmt::format(
          "Histogram of {} errors with the model's density; measured deviation {} LSB, predicted {} LSB.",
          layer.samples, number(layer.measured_std), number(layer.predicted_std)),
      Axis("p e / q, accumulator LSBs", Scale::linear), Axis("% of outputs", Scale::linear));
  std::vector<XY> bars, curve;
  const double first = -0.5 * layer.bin_width * static_cast<double>(layer.measured.size() - 1);
  for (std::size_t i = 0; i < layer.measured.size(); ++i) {
    const double x = first + layer.bin_width * static_cast<double>(i);
    bars.push_back({x,
                    100 * layer.measured[i],
                    fmt::format("around {} LSB: measured {}, predicted {}", number(x),
                                percent(layer.measured[i], 2), percent(layer.predicted[i], 2)),
                    {},
                    {}});
    curve.push_back({x, 100 * layer.predicted[i], {}, {}, {}});
  }
  chart.bars(std::move(bars), layer.bin_width, policy_style(policy));
  chart.series(std::move(curve), {.style = 0, .markers = false, .label = "model"});
  return chart.html();
}

std::string table_of(const analysis::NoiseCheck& check) {
  HtmlTable table(fmt::format("{}, {}: standard deviation of p e / q", check.network, check.policy),
                  {{"layer", false},
                   {"measured, LSB"},
                   {"predicted, LSB"},
                   {"ratio"},
                   {"outputs"},
                   {"beyond 4 deviations"},
                   {"N"},
                   {"log2 q"},
                   {"log2 p"}});
  for (const analysis::NoiseLayer& l : check.layers) {
    const auto ratio = l.predicted_std > 0 ? std::optional(l.measured_std / l.predicted_std) : std::nullopt;
    table.row({l.name, number(l.measured_std), number(l.predicted_std), fixed(ratio, 3),
               fmt::format("{}", l.samples), percent(l.outside, 3), fmt::format("{:.0f}", l.n),
               fixed(l.log2_q, 1), fixed(l.log2_p, 0)});
  }
  return table.html();
}

std::string bins_of(const analysis::NoiseCheck& check) {
  std::string tables;
  for (const analysis::NoiseLayer& l : check.layers) {
    HtmlTable table(l.name, {{"p e / q, LSB", true}, {"measured"}, {"predicted"}});
    for (std::size_t i = 0; i < l.measured.size(); ++i) {
      const double x =
          (static_cast<double>(i) - 0.5 * static_cast<double>(l.measured.size() - 1)) * l.bin_width;
      table.row({number(x), percent(l.measured[i], 2), percent(l.predicted[i], 2)});
    }
    tables += table.html();
  }
  return details("Tables: the bins of each histogram", tables);
}

}  // namespace

Section noise_section(const Data& data) {
  Section section{"noise", "Noise of real ciphertexts against the model", {}, {}};
  for (const analysis::NoiseCheck& check : data.noise) {
    if (check.layers.empty()) continue;
    section.html +=
        fmt::format("<h3>{}, {}</h3>\n<div class=\"charts\">\n", escape(check.network), escape(check.policy));
    for (const analysis::NoiseLayer& layer : check.layers) section.html += chart_of(layer, check.policy);
    section.html += "</div>\n" + table_of(check) + bins_of(check);
    section.html +=
        source_note(fmt::format("Measured while this report was made, on {}: random inputs under fresh keys "
                                "through the kernels of both parties, in "
                                "the packing, ring and reply format of {}, against the exact integer layer. "
                                "The line is the plan's model: a Gaussian "
                                "for each reply. {}",
                                check.machine, check.source, check.remark));
  }
  section.missing = data.noise.empty()
                        ? "needs a package with weights (server.apm) and is left out with --no-noise."
                        : "no layer of the packages given can be measured: " + data.noise.front().remark;
  return section;
}

}  // namespace ap::report

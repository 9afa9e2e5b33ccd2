// The section on what each step from the baseline gains.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>

#include "layers/linear/noise_model.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"
#include "security/limits.h"

namespace ap::report {
namespace {

constexpr double kStrictDer = -40;  // log2 of the rate that the baselines keep
constexpr double kFloodBits = 40;   // statistical distance of flooding
const std::string kDash = "\xE2\x80\x93", kTimes = "\xC3\x97";

/// One rung: the policies that stand on it, of which the fastest counts.
struct Rung {
  const char* title;
  const char* what;
  std::vector<std::string> policies;
};
const std::array<Rung, 5> kRungs = {{
    {"Baseline", "one parameter set for the network, packed for SIMD", {"delphi"}},
    {"Tight noise, one set", "the same, with p and q from the network's own bounds", {"darl"}},
    {"p, N, q per layer, relaxed error rate",
     "still packed for SIMD: AutoPrivacy as published",
     {"autoprivacy"}},
    {"Packing by coefficients, re-sharing",
     "p, N, q per layer, no rotations, no flooding, no errors",
     {"exact"}},
    {"Error budgets", "noise in the bits that the next truncation throws away", {"dp", "ddpg", "budget"}},
}};

/// A rung with what the data has for it.
struct Step {
  const Rung* rung = nullptr;
  const Row* row = nullptr;
  const PlanView* plan = nullptr;
  std::string policy;
  double seconds(bool measured) const { return measured ? row->seconds() : plan->predicted_s; }
};

std::vector<Step> steps_of(const Data& data, const std::string& network, bool measured) {
  std::vector<Step> steps;
  for (const Rung& rung : kRungs) {
    Step best;
    for (const std::string& policy : rung.policies) {
      const Step step{&rung, row_of(data, network, policy), plan_of(data, network, policy), policy};
      if (measured ? !step.row : !step.plan) continue;
      if (!best.rung || step.seconds(measured) < best.seconds(measured)) best = step;
    }
    if (best.rung) steps.push_back(std::move(best));
  }
  return steps;
}

/// Mean of a quantity over the linear layers that have it.
std::optional<double> mean(const PlanView* plan,
                           const std::function<std::optional<double>(const Layer&)>& of) {
  double sum = 0, count = 0;
  if (plan) {
    for (const Layer* layer : plan->linears()) {
      if (const auto v = of(*layer)) sum += *v, count += 1;
    }
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}
std::optional<double> mean_log2_q(const PlanView* plan) {
  return mean(plan, [](const Layer& l) { return l.log2_q; });
}

/// Standard deviations that a ciphertext of n coefficients must keep to fail with probability 2^der_log2.
double deviations_for(double n, double der_log2) {
  double low = 0, high = 200;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double each = noise::log2_erfc(middle / std::sqrt(2.0)) + std::log2(n);
    (each > der_log2 ? low : high) = middle;
  }
  return high;
}

/// Bits of q that a layer saves because its ciphertexts may fail more often than 2^-40.
std::optional<double> relaxation_bits(const Layer& layer) {
  if (!layer.der_log2 || !layer.n) return std::nullopt;
  return std::log2(deviations_for(*layer.n, kStrictDer) /
                   deviations_for(*layer.n, std::clamp(*layer.der_log2, kStrictDer, -1.0)));
}

/// log2 of the smallest degree that is secure with kFloodBits more bits of q.
std::optional<double> flooded_log2_n(const Layer& layer) {
  if (!layer.n || !layer.log2_q || layer.simd()) return std::nullopt;
  for (std::uint32_t n = 1024; n <= 32768; n *= 2) {
    if (n >= *layer.n && security::max_log2_q(n) >= *layer.log2_q + kFloodBits) return std::log2(n);
  }
  return std::nullopt;
}

std::string text_of_degree(const std::optional<double>& log2_n) {
  return log2_n ? fmt::format("{:.0f}", std::exp2(*log2_n)) : kDash;
}

std::string ladder(const std::vector<Step>& steps, bool measured) {
  double longest = 0;
  for (const Step& step : steps) longest = std::max(longest, step.seconds(measured));
  std::string out = "<ol class=\"ladder\">";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double seconds = steps[i].seconds(measured);
    const double width = longest > 0 ? std::max(1.0, 600 * seconds / longest) : 1;
    std::string gain;
    if (i > 0 && seconds > 0) {
      const double before = steps[i - 1].seconds(measured) / seconds,
                   first = steps[0].seconds(measured) / seconds;
      gain = fmt::format(", {}{} {} than the step before", number(before >= 1 ? before : 1 / before), kTimes,
                         before >= 1 ? "faster" : "slower");
      if (i > 1)
        gain += fmt::format(", {}{} {} than the first", number(first >= 1 ? first : 1 / first), kTimes,
                            first >= 1 ? "faster" : "slower");
    }
    out += fmt::format(
        "<li><b>{} s</b> {} ({}){}<br><span class=\"source\">{}</span><svg class=\"c{}\" viewBox=\"0 0 600 "
        "14\" "
        "preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"bar\" d=\"M0 "
        "0H{:.1f}V14H0Z\"/></svg></li>\n",
        number(seconds), steps[i].rung->title, escape(steps[i].policy), gain, steps[i].rung->what,
        policy_style(steps[i].policy), width);
  }
  return out + "</ol>\n";
}

std::string steps_table(const std::string& network, const std::vector<Step>& steps, bool measured) {
  HtmlTable table(
      fmt::format("{}: the steps; N, q and p are means over the linear layers (N geometric)", network),
      {{"step", false},
       {"policy", false},
       {measured ? "total s, measured" : "work s, predicted"},
       {"against the step before"},
       {measured ? "MB, measured" : "MB, predicted"},
       {"N"},
       {"log2 q"},
       {"log2 p"},
       {"from", false}});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const double seconds = step.seconds(measured);
    table.row({step.rung->title, step.policy, number(seconds, 4),
               i == 0 || !(steps[i - 1].seconds(measured) > 0)
                   ? kDash
                   : number(seconds / steps[i - 1].seconds(measured)) + kTimes,
               number(measured ? step.row->mb() : step.plan->predicted_bytes / 1e6, 4),
               text_of_degree(mean(step.plan,
                                   [](const Layer& l) -> std::optional<double> {
                                     return l.n ? std::optional(std::log2(*l.n)) : std::nullopt;
                                   })),
               fixed(mean_log2_q(step.plan), 1),
               fixed(mean(step.plan, [](const Layer& l) { return l.log2_p; }), 1),
               measured ? step.row->source : step.plan->source});
  }
  return table.html();
}

/// What lies within a step, in bits of q: no policy has the one without the other, so it is calculated.
std::string within(const Data& data, const std::string& network) {
  const PlanView* darl = plan_of(data, network, "darl");
  const PlanView* published = plan_of(data, network, "autoprivacy");
  const PlanView* exact = plan_of(data, network, "exact");
  HtmlTable table(fmt::format("{}: what is inside the steps, calculated from the plans", network),
                  {{"part", false}, {"bits of q saved"}, {"how", false}});
  if (const auto bits = mean(published, relaxation_bits)) {
    if (const auto before = mean_log2_q(darl), after = mean_log2_q(published); before && after) {
      table.row({"p, N, q per layer", fixed(*before - *after - *bits, 2),
                 "mean log2 q of darl minus autoprivacy, less the next row"});
    }
    table.row(
        {"relaxed error rate, slots", fixed(*bits, 2),
         "Gaussian tail: deviations kept at 2^-40 and at the rate that the plan realises, per ciphertext"});
  }
  if (const auto flooded = mean(exact, flooded_log2_n)) {
    const auto degree = mean(exact, [](const Layer& l) -> std::optional<double> {
      return l.n ? std::optional(std::log2(*l.n)) : std::nullopt;
    });
    table.row({"re-sharing instead of flooding", fixed(kFloodBits, 0),
               fmt::format("flooding by {:.0f} bits would need N = {} instead of {} (geometric means, 128 "
                           "bits of security)",
                           kFloodBits, text_of_degree(flooded), text_of_degree(degree))});
  }
  const auto exact_q = mean_log2_q(exact);
  for (const char* policy : {"budget", "dp", "ddpg"}) {
    const auto q = mean_log2_q(plan_of(data, network, policy));
    if (exact_q && q) {
      table.row({fmt::format("error budget, coefficients ({})", policy), fixed(*exact_q - *q, 2),
                 "mean log2 q of exact minus this plan's"});
    }
  }
  return table.empty() ? "" : table.html();
}

}  // namespace

Section gain_section(const Data& data) {
  Section section{"gain", "Where the gain comes from", {}, {}};
  for (const std::string& network : networks_of(data)) {
    std::vector<Step> steps = steps_of(data, network, true);
    const std::vector<Step> predicted = steps_of(data, network, false);
    // Measured and predicted seconds do not stand on one ladder.
    const bool measured = steps.size() >= predicted.size();
    if (!measured) steps = predicted;
    if (steps.size() < 2) continue;
    section.html += fmt::format("<h3>{}</h3>\n", escape(network));
    section.html += ladder(steps, measured) + steps_table(network, steps, measured) + within(data, network);
    std::vector<std::string> absent;
    for (const Rung& rung : kRungs) {
      if (std::ranges::none_of(steps, [&](const Step& s) { return s.rung == &rung; })) {
        absent.push_back(fmt::format("{} ({})", rung.title, fmt::join(rung.policies, ", ")));
      }
    }
    const Row* row = steps.front().row;
    section.html += source_note(fmt::format(
        "{}{}",
        measured
            ? fmt::format("Seconds are measured by private inferences on {}.",
                          row->machine.empty() ? "a machine that the file does not name" : row->machine)
            : "Seconds are predicted by the cost model: work of both parties on one core, without the link.",
        absent.empty() ? "" : fmt::format(" Steps without data: {}.", fmt::join(absent, "; "))));
  }
  if (!section.html.empty()) {
    section.html =
        "<p>Each step keeps what the steps before it gained. The autoprivacy policy changes parameters per "
        "layer and relaxes the error rate at once, and the exact policy changes packing and masking at "
        "once; the last table of each network says what their parts are worth.</p>\n" +
        section.html;
  }
  section.missing =
      "needs at least two of the policies delphi, darl, autoprivacy, exact and dp, ddpg or budget "
      "for one network, as compiled directories or rows of results.json.";
  return section;
}

}  // namespace ap::report

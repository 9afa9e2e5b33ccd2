#include "app/policies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/search_policies.h"
#include "base/error.h"
#include "planner/policies/baselines.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "planner/spaces/assemble.h"

namespace ap::app {
namespace {

constexpr double kStrictFailureLog2 = -128;

/// An option that belongs to some policies, and how to tell that it was given.
struct Option {
  const char* name;
  bool (*given)(const CompileOptions&);
};
constexpr Option kOptions[] = {
    {"--strict", [](const CompileOptions& o) { return o.strict; }},
    {"--budget", [](const CompileOptions& o) { return o.budget != CompileOptions{}.budget; }},
    {"--flooding-by-rule", [](const CompileOptions& o) { return o.flooding_by_rule; }},
};

plan::BaselineOptions baseline_options(const CompileOptions& options) {
  plan::BaselineOptions baseline;
  baseline.profile = options.profile;
  if (options.strict) baseline.target_failure_log2 = kStrictFailureLog2;
  baseline.flooding_by_rule = options.flooding_by_rule;
  return baseline;
}

Planned exact(const PolicyTask& task, const CompileOptions& options) {
  plan::SelectOptions select;
  select.profile = options.profile;
  select.privacy_inferences = options.privacy_inferences;
  if (options.strict) select.target_failure_log2 = kStrictFailureLog2;
  return {plan::select_exact(task.network, select), std::nullopt, std::nullopt};
}

Planned budget(const PolicyTask& task, const CompileOptions& options) {
  plan::BudgetOptions budget;
  budget.profile = options.profile;
  budget.privacy_inferences = options.privacy_inferences;
  budget.max_accuracy_loss = options.max_accuracy_loss;
  plan::BudgetSelection selection = plan::select_budget(task.network, task.images(), task.labels, budget);
  return {std::move(selection.plan), selection.simulation.top1_mean, std::nullopt};
}

Planned delphi(const PolicyTask& task, const CompileOptions& options) {
  return {plan::select_delphi(task.network, baseline_options(options)), std::nullopt, std::nullopt};
}

Planned darl(const PolicyTask& task, const CompileOptions& options) {
  return {plan::select_darl(task.network, baseline_options(options)), std::nullopt, std::nullopt};
}

Planned autoprivacy(const PolicyTask& task, const CompileOptions& options) {
  const std::vector<double> der_log2(plan::linear_nodes(task.network).size(), options.der_log2);
  return {plan::select_autoprivacy(task.network, der_log2, baseline_options(options)), std::nullopt,
          std::nullopt};
}

Planned search_by(const PolicyTask& task, const CompileOptions& options) {
  SearchRequest request = options.search;
  request.policy = options.policy;
  request.protocol = options.activation;
  request.profile = options.profile;
  request.latency = task.latency;
  request.privacy_inferences = options.privacy_inferences;
  request.by_rates = options.budget == "der";
  request.progress = options.progress;
  Planned planned;
  planned.search = search_plan(task.network, task.images(), task.labels, request);
  planned.plan = planned.search->plan;
  if (!task.labels.empty()) planned.simulated = planned.search->held_out.top1();
  return planned;
}

Policy searching(const char* name, const char* summary, Policy::Kind kind = Policy::Kind::search) {
  std::vector<std::string> options = {"--budget", "--max-latency", "--max-accuracy-loss", "--simulations",
                                      "--resume"};
  if (kind == Policy::Kind::learning) options.emplace_back("--rollouts");
  return {name, summary, std::move(options), kind, search_by};
}

}  // namespace

bool Policy::takes(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

bool Policy::shares_modulo_primes(const CompileOptions& o) const {
  return kind == Kind::baseline || (takes("--budget") && o.budget == "der");
}

bool Policy::allows_errors(const CompileOptions& o) const {
  return takes("--max-accuracy-loss") && !shares_modulo_primes(o);
}

std::vector<std::string> Policies::refusals(const Policy& policy, const CompileOptions& o) const {
  std::vector<std::string> sentences;
  for (const Option& option : kOptions) {
    if (!option.given(o) || policy.takes(option.name)) continue;
    sentences.push_back(
        fmt::format("{} is for policy {}; policy is {}", option.name, names(option.name), policy.name));
  }
  if (policy.shares_modulo_primes(o) && o.activation == "ot") {
    sentences.push_back(
        fmt::format("policy {}{} shares modulo primes, which protocol ot cannot; use --activation gc or auto",
                    policy.name, policy.searches() ? " with --budget der" : ""));
  }
  if (policy.takes("--der") && !(o.der_log2 >= -40 && o.der_log2 <= -1)) {
    sentences.push_back(
        fmt::format("policy {}: a decryption-error rate of 2^{} is out of range; give --der -40 to -1",
                    policy.name, o.der_log2));
  }
  return sentences;
}

const Policy& Policies::find(const std::string& name) const {
  if (name == "published") fail_input("policy published is called autoprivacy now; use --policy autoprivacy");
  const auto found = std::ranges::find(policies_, name, &Policy::name);
  if (found == policies_.end())
    fail_input("there is no policy \"{}\"; this version offers: {}", name, names());
  return *found;
}

std::string Policies::names(std::string_view option) const {
  std::vector<std::string> names;
  for (const Policy& policy : policies_) {
    if (option.empty() || policy.takes(option)) names.push_back(policy.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Policies standard_policies() {
  using enum Policy::Kind;
  const std::vector<std::string> strict = {"--strict"};
  return Policies({
      {"exact", "results as in the clear, at the cheapest parameters for that", strict, direct, exact},
      {"budget", "one budget of small errors for all layers", {"--max-accuracy-loss"}, direct, budget},
      searching("ddpg", "error budgets layer by layer, by an actor-critic agent", learning),
      searching("dp", "error budgets layer by layer, by dynamic programming"),
      searching("greedy", "error budgets layer by layer, the largest saving first"),
      searching("random", "error budgets layer by layer, at random"),
      {"delphi", "one parameter set, packed for SIMD, as in DELPHI", strict, baseline, delphi},
      {"darl",
       "one parameter set from the noise of the layers, packed for SIMD, as in DARL",
       {"--strict", "--flooding-by-rule"},
       baseline,
       darl},
      {"autoprivacy",
       "parameters layer by layer, packed for SIMD, as AutoPrivacy was published",
       {"--der"},
       baseline,
       autoprivacy},
  });
}

}  // namespace ap::app

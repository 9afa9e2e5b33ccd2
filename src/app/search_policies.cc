#include "app/search_policies.h"

#include "base/error.h"
#include "base/progress.h"
#include "planner/search/autoprivacy_environment.h"
#include "planner/search/error_std_environment.h"
#include "planner/search/journal.h"
#include "planner/search/policies.h"
#include "planner/search/prediction.h"

namespace ap::app {

namespace {

std::unique_ptr<search::Policy> make_policy(const SearchRequest& request) {
  const auto found = request.further.find(request.policy);
  if (found == request.further.end()) return search::make_policy(request.policy, request.seed);
  PolicyRequest wanted{.seed = request.seed,
                       .state = request.journal,
                       .resume = request.resume,
                       .writes = !request.sharder || request.sharder->rank() == 0,
                       .sharder = request.sharder,
                       .imagined = request.imagined};
  if (!wanted.state.empty()) wanted.state.replace_extension(request.policy);
  return found->second(wanted);
}

}  // namespace

bool is_search_policy(const std::string& name) {
  return name == "ddpg" || search::make_policy(name, 1) != nullptr;
}

std::string search_policy_names() { return "ddpg, dp, greedy, random"; }

Searched search_plan(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                     std::span<const int> labels, const SearchRequest& request) {
  const auto policy = make_policy(request);
  if (!policy) fail_input("policy {} needs the program autoprivacy-search", request.policy);
  search::ProblemOptions options;
  options.protocol = request.protocol;
  options.profile = request.profile;
  options.privacy_inferences = request.privacy_inferences;
  const search::Problem problem = search::make_problem(network, images, labels, options);
  const std::unique_ptr<search::Environment> made =
      request.published ? std::unique_ptr<search::Environment>(
                              std::make_unique<search::AutoprivacyEnvironment>(problem, request.sharder))
                        : std::make_unique<search::ErrorStdEnvironment>(problem, request.sharder);
  search::Environment& environment = *made;
  Searched searched;
  std::optional<search::Journal> journal;
  if (!request.journal.empty()) {
    journal.emplace(request.journal, request.policy, !request.sharder || request.sharder->rank() == 0);
    if (request.resume) searched.resumed = journal->resume(environment);
    journal->follow(environment);
  }
  Progress bar("search", static_cast<std::uint64_t>(request.simulations), request.progress);
  environment.on_simulation([&] { bar.advance(); });
  const search::Budget budget{request.max_loss, request.max_seconds, request.simulations};
  search::Result result = search::run_policy(*policy, environment, budget);
  if (journal) journal->finish(environment, result);
  searched.plan = std::move(result.plan);
  searched.trace = std::move(result.trace);
  searched.held_out = result.held_out.counts;
  searched.expected_loss = environment.expected_loss(result.held_out.counts);
  searched.simulations = environment.simulations();
  searched.tightened = result.tightened;
  return searched;
}

double predicted_latency(const nn::QuantisedNetwork& network, const plan::Plan& plan,
                         const cost::Profile& profile) {
  return search::plan_price(network, plan, plan::kGigabit, profile).seconds;
}

}  // namespace ap::app

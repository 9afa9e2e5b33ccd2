#include "app/search_policies.h"

#include "base/error.h"
#include "base/progress.h"
#include "planner/search/autoprivacy_environment.h"
#include "planner/search/error_std_environment.h"
#include "planner/search/journal.h"
#include "planner/search/policies.h"

namespace ap::app {

namespace {

// How often prices are fitted anew to a plan that takes longer than a bound allows.
constexpr int kMostRefits = 8;

std::unique_ptr<search::Policy> make_policy(const SearchRequest& request) {
  const auto found = request.further.find(request.policy);
  if (found == request.further.end()) return search::make_policy(request.policy, request.seed);
  PolicyRequest wanted{.seed = request.seed,
                       .state = request.journal,
                       .resume = request.resume,
                       .writes = !request.sharder || request.sharder->rank() == 0,
                       .sharder = request.sharder,
                       .rollouts = request.rollouts};
  if (!wanted.state.empty()) wanted.state.replace_extension(request.policy);
  return found->second(wanted);
}

}  // namespace

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
      request.by_rates ? std::unique_ptr<search::Environment>(
                             std::make_unique<search::AutoprivacyEnvironment>(problem, request.sharder))
                       : std::make_unique<search::ErrorStdEnvironment>(problem, request.sharder);
  search::Environment& environment = *made;
  environment.price_by(request.latency);
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
  // Plans between those that prices were fitted to may take longer than their layers say.
  for (int tries = 0; request.max_seconds; ++tries) {
    const double taken = request.latency(result.plan);
    if (taken <= *request.max_seconds) break;
    if (tries == kMostRefits) {
      fail_input(
          "no plan was found that takes at most {:.4g} s per image: policy {} needs {:.4g} s; allow more",
          *request.max_seconds, request.policy, taken);
    }
    environment.raise_prices(taken - environment.seconds(result.choice));
    result = search::run_policy(*policy, environment, budget);
  }
  if (journal) journal->finish(environment, result);
  searched.plan = std::move(result.plan);
  searched.trace = std::move(result.trace);
  searched.held_out = result.held_out.counts;
  searched.expected_loss = environment.expected_loss(result.held_out.counts);
  searched.simulations = environment.simulations();
  searched.tightened = result.tightened;
  return searched;
}

}  // namespace ap::app

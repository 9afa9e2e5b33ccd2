// The policies that search (ddpg, dp, greedy, random): from a quantised network and calibration images to a
// plan.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "analysis/cost/profile.h"
#include "base/progress.h"
#include "planner/search/problem.h"

namespace ap::app {

/// What a policy that another module has is made from.
struct PolicyRequest {
  std::uint64_t seed = 1;
  std::filesystem::path
      state;            ///< file in which the policy may keep its own state while it searches; empty: none
  bool resume = false;  ///< start from `state` if it is there
  bool writes = true;   ///< false on ranks other than 0
  search::Sharder* sharder = nullptr;
  int rollouts = 64;  ///< episodes that policy ddpg runs on its model before each simulation
};
using PolicyMakers =
    std::map<std::string, std::function<std::unique_ptr<search::Policy>(const PolicyRequest&)>>;

struct SearchRequest {
  std::string policy = "dp";
  std::optional<double> max_loss;     ///< of top-1 by simulation, 0 to 1; at least one of both bounds is set
  std::optional<double> max_seconds;  ///< by `latency`
  std::string protocol = "auto";      ///< of activations
  /// Budgets are decryption-error rates on SIMD batching (planner/search/autoprivacy_environment.h) instead of small errors
  /// on coefficient packing.
  bool by_rates = false;
  int rollouts = 64;                                             ///< as PolicyRequest
  std::uint64_t privacy_inferences = noise::kDefaultInferences;  ///< plan::LayerOptions
  cost::Profile profile = cost::typical_profile();
  /// Predicted seconds per image of a plan: what max_seconds bounds.
  std::function<double(const plan::Plan&)> latency;
  std::uint64_t seed = 1;
  int simulations = 60;
  std::filesystem::path journal;       ///< written while searching, if not empty
  bool resume = false;                 ///< start from it
  PolicyMakers further;                ///< policies by name, besides dp, greedy and random
  search::Sharder* sharder = nullptr;  ///< splits the images over processes; rank 0 alone writes
  ProgressSink progress;
};

struct Searched {
  plan::Plan plan;
  search::Trace trace;
  search::Counts held_out;   ///< of the plan, on images that the search did not see
  double expected_loss = 0;  ///< Environment::expected_loss there
  std::size_t simulations = 0, resumed = 0;
  int tightened = 0;
};

/// `images` are quantised inputs, one after another; half of them are held out. `labels` one each, or empty.
/// @throws Error(input) if no plan keeps the bounds, naming the layer that stands in the way.
Searched search_plan(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                     std::span<const int> labels, const SearchRequest& request);

}  // namespace ap::app

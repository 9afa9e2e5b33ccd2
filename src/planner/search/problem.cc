#include "planner/search/problem.h"

#include <algorithm>

#include "base/error.h"
#include "planner/policies/budget.h"
#include "planner/spaces/calibrate.h"

namespace ap::search {
namespace {

// Numbers of held-out images: their errors are others than those of the search part.
constexpr std::uint64_t kFirstHeldOut = std::uint64_t{1} << 32;

}  // namespace

Problem make_problem(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                     std::span<const int> labels, const ProblemOptions& options) {
  const auto pixels = static_cast<std::size_t>(network.input_shape().size());
  const std::size_t count = images.size() / pixels;
  if (count < 2 || images.size() % pixels != 0) {
    fail_input(
        "a search needs at least two images of {} values, one to search with and one to validate, but {} "
        "values were given",
        pixels, images.size());
  }
  if (!labels.empty() && labels.size() != count)
    fail_input("there are {} labels for {} images", labels.size(), count);
  if (!(options.held_out > 0 && options.held_out < 1)) {
    fail_input("a held-out fraction of {} is not between 0 and 1", options.held_out);
  }
  if (options.seeds.empty() || options.held_out_seeds.empty()) fail_input("a search needs at least one seed");
  Problem problem;
  problem.network = &network;
  problem.options = options;
  problem.held_out.first = kFirstHeldOut;
  const std::size_t held = std::clamp<std::size_t>(
      static_cast<std::size_t>(options.held_out * static_cast<double>(count)), 1, count - 1);
  for (std::size_t i = 0; i < count; ++i) {
    // Spread evenly: data sets are often sorted.
    Images& part = (i + 1) * held / count > i * held / count ? problem.held_out : problem.search;
    const auto image = images.subspan(i * pixels, pixels);
    part.pixels.insert(part.pixels.end(), image.begin(), image.end());
    if (!labels.empty()) part.labels.push_back(labels[i]);
  }
  const std::vector<plan::NodeTails> tails = plan::observe_tails(network, problem.search.pixels);
  problem.ranges = plan::exact_ranges(network);
  if (options.overflow_log2) {
    if (!(*options.overflow_log2 < 0))
      fail_input("an overflow probability of 2^{} is not below 1", *options.overflow_log2);
    problem.ranges = plan::calibrated_ranges(network, tails, *options.overflow_log2);
  }
  // What the logits really reach, also under exact moduli.
  std::vector<nn::Interval> used = problem.ranges;
  used.back() = {static_cast<std::int64_t>(-tails.back().low.largest),
                 static_cast<std::int64_t>(tails.back().high.largest)};
  problem.steps = plan::error_steps(network, used);
  return problem;
}

}  // namespace ap::search

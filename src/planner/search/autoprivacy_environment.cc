#include "planner/search/autoprivacy_environment.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "planner/search/prediction.h"
#include "planner/spaces/assemble.h"

namespace ap::search {

AutoprivacyEnvironment::AutoprivacyEnvironment(const Problem& problem, Sharder* sharder,
                                               const plan::BaselineOptions& options)
    : Environment(problem, sharder), options_(options) {
  // A garbled reply ruins an image or does not: there is nothing small about its errors.
  small_errors_ = false;
  const nn::QuantisedNetwork& network = *problem.network;
  options_.bytes_per_second = problem.options.bytes_per_second;
  options_.profile = problem.options.profile;
  const std::vector<int> nodes = plan::linear_nodes(network);
  points_.resize(nodes.size());
  rates_.resize(nodes.size());
  for (int rate = kLeastRate; rate >= kMostRate; --rate) {
    const plan::Plan plan =
        plan::select_autoprivacy(network, std::vector<double>(nodes.size(), -rate), options_);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const plan::LinearChoice& choice = plan.linears[i];
      const Price price = linear_price(choice, options_.bytes_per_second);
      if (rate == kLeastRate) {
        const nn::QNode& node = network.nodes[static_cast<std::size_t>(nodes[i])];
        const auto& op = std::get<nn::QLinear>(node.op);
        const bfv::BatchParameters& group = plan.batch_groups[static_cast<std::size_t>(choice.group)];
        const bool vector = op.in_shape.h == 1 && op.in_shape.w == 1;
        features_.push_back({static_cast<int>(i), op.in_shape.c, node.shape.c, op.in_shape.w, op.in_shape.h,
                             op.window.kernel_h, vector ? 0 : op.window.stride_h,
                             std::log2(static_cast<double>(group.p())), group.log2_q(), std::log2(group.n)});
      }
      // The upper end of the actions that are rounded to this rate.
      const double action = (rate - kMostRate + 0.5) / (kLeastRate - kMostRate);
      const Point point{std::min(action, 1.0), std::exp2(-rate), price.seconds, price.bytes};
      if (!points_[i].empty() && point.seconds >= points_[i].back().seconds) continue;
      points_[i].push_back(point);
      rates_[i].push_back(-rate);
    }
    if (rate == kLeastRate) {
      for (const plan::ActivationChoice& choice : plan.activations) {
        fixed_seconds_ +=
            choice.predicted_s + static_cast<double>(choice.predicted_bytes) / options_.bytes_per_second;
        fixed_bytes_ += choice.predicted_bytes;
      }
    }
  }
}

plan::Plan AutoprivacyEnvironment::plan_of(const Choice& choice) const {
  AP_ASSERT(choice.size() == layers());
  std::vector<double> rates;
  for (std::size_t i = 0; i < choice.size(); ++i)
    rates.push_back(rates_[i][static_cast<std::size_t>(choice[i])]);
  return plan::select_autoprivacy(*problem().network, rates, options_);
}

}  // namespace ap::search

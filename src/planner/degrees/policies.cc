#include "planner/degrees/policies.h"

#include <algorithm>
#include <cmath>

#include "analysis/approximation/offsets.h"
#include "analysis/approximation/sensitivity.h"
#include "base/error.h"

namespace ap::degrees {
namespace {

using approximation::Candidate;

// Values may come so near to the ends of their intervals in simulation.
constexpr double kRangeMargin = 1.2;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

Choices composite_choice(const nn::Graph& graph, const Calibration& calibration, std::size_t i, int bits,
                         double margin) {
  const approximation::InputDistribution& d = calibration.inputs[i];
  Choices c{d.node, {approximation::composite_relu(graph, d, bits, margin * d.largest())}, {}};
  c.variances.push_back(calibration.sensitivities[i] * c.candidates[0].squared_error);
  return c;
}

plan::ApproximationPlan uniform(const nn::Graph& graph, const Calibration& calibration, const HeCosts& costs,
                                const PolicyOptions& options) {
  std::vector<Choices> choices;
  std::vector<int> depths;
  FrontPoint point;
  for (std::size_t i = 0; i < calibration.inputs.size(); ++i) {
    choices.push_back(composite_choice(graph, calibration, i, options.uniform_bits, options.margin));
    depths.push_back(choices.back().candidates[0].activation.depth);
    point.variance += choices.back().variances[0];
    point.candidates.push_back(0);
  }
  const Placement placement = bootstrap_before_activations(graph, depths, costs.max_level(), true);
  point.levels = placement.levels;
  point.bootstraps = placement.bootstraps;
  point.seconds = seconds_of(graph, costs, choices, point.candidates, placement);
  return assemble(graph, calibration, choices, point, "uniform", options);
}

// Finishes plans of a front and looks for the fastest that is good enough.
class Chooser {
 public:
  Chooser(const nn::Graph& graph, const Calibration& calibration, std::span<const float> calibration_images,
          const SelectionImages& selection, std::span<const Choices> choices, const PolicyOptions& options)
      : graph_(graph),
        calibration_(calibration),
        images_(calibration_images),
        selection_(selection),
        choices_(choices),
        options_(options) {
    clear_ = *approximation::simulate(graph, selection.images, selection.labels).top1;
    const auto in = static_cast<std::size_t>(graph.input_shape().size());
    images_ = images_.first(std::min(images_.size(), options.offset_images * in));
  }

  plan::ApproximationPlan fastest(const std::vector<FrontPoint>& front, const std::string& policy) {
    // Variance rises with the index and seconds fall: the last that is good.
    std::size_t good = front.size(), low = 0, high = front.size();
    plan::ApproximationPlan best;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      plan::ApproximationPlan plan = finished(front[middle], policy);
      if (is_good(plan)) {
        good = middle;
        best = std::move(plan);
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (good == front.size()) {
      fail_input(
          "no plan of policy {} for {} keeps top-1 within {:.2f} % on the images of the choice: allow more loss, "
          "more levels or higher degrees",
          policy, graph_.name, 100 * options_.max_loss);
    }
    return best;
  }

 private:
  plan::ApproximationPlan finished(const FrontPoint& point, const std::string& policy) const {
    plan::ApproximationPlan plan = assemble(graph_, calibration_, choices_, point, policy, options_);
    if (options_.offset_images > 0) approximation::set_offsets(graph_, plan.activations, images_);
    return plan;
  }

  bool is_good(const plan::ApproximationPlan& plan) const {
    const approximation::ClearResult result = approximation::simulate(
        graph_, plan.activations, selection_.images, selection_.labels, {options_.noise, 1});
    if (options_.on_plan) options_.on_plan(plan, result);
    return clear_ - *result.top1 <= options_.max_loss + 1e-9 && result.outside() == 0 &&
           result.largest_ratio() * kRangeMargin <= 1;
  }

  const nn::Graph& graph_;
  const Calibration& calibration_;
  std::span<const float> images_;
  SelectionImages selection_;
  std::span<const Choices> choices_;
  const PolicyOptions& options_;
  double clear_ = 0;
};

}  // namespace

Calibration calibrate(const nn::Graph& graph, std::span<const float> images, std::span<const int> labels,
                      std::size_t sensitivity_images) {
  const approximation::ClearNetwork network(graph);
  if (network.activations().empty()) fail_input("network {} has no activation to approximate", graph.name);
  const auto in = static_cast<std::size_t>(graph.input_shape().size());
  Calibration c;
  c.inputs = approximation::input_distributions(network, images);
  const std::size_t count = std::min(sensitivity_images, images.size() / in);
  c.sensitivities = approximation::sensitivities(network, images.first(count * in),
                                                 labels.empty() ? labels : labels.first(count));
  c.largest = approximation::largest_values(network, images);
  return c;
}

std::vector<Choices> candidates(const nn::Graph& graph, const Calibration& calibration,
                                const PolicyOptions& options) {
  std::vector<Choices> result;
  for (std::size_t i = 0; i < calibration.inputs.size(); ++i) {
    const approximation::InputDistribution& d = calibration.inputs[i];
    const double bound = options.margin * std::max(d.largest(), 1e-6);
    std::vector<Candidate> all;
    for (const int degree : options.degrees)
      all.push_back(approximation::fit_polynomial(graph, d, degree, bound, options.weights));
    const auto* clip = std::get_if<nn::ClipOp>(&graph.nodes[at(d.node)].op);
    if (clip != nullptr && approximation::is_half_even(*clip)) {
      for (const int bits : options.bits) all.push_back(approximation::composite_relu(graph, d, bits, bound));
    }
    Choices choices{d.node, {}, {}};
    for (const Candidate& c : all) {
      const bool beaten = std::ranges::any_of(all, [&](const Candidate& other) {
        return &other != &c && other.activation.depth <= c.activation.depth && other.products <= c.products &&
               other.squared_error < c.squared_error;
      });
      if (beaten) continue;
      choices.candidates.push_back(c);
      choices.variances.push_back(calibration.sensitivities[i] * c.squared_error);
    }
    result.push_back(std::move(choices));
  }
  return result;
}

plan::ApproximationPlan assemble(const nn::Graph& graph, const Calibration& calibration,
                                 std::span<const Choices> choices, const FrontPoint& point,
                                 const std::string& policy, const PolicyOptions& options) {
  plan::ApproximationPlan p;
  p.policy = policy;
  p.seconds = point.seconds;
  p.variance = point.variance;
  p.levels = point.levels;
  for (std::size_t i = 0; i < choices.size(); ++i)
    p.activations.push_back(choices[i].candidates.at(at(point.candidates[i])).activation);
  for (std::size_t i = 0; i < point.bootstraps.size(); ++i) {
    if (point.bootstraps[i] == 0) continue;
    const double bound = options.margin * std::max(calibration.largest[i], 1e-6);
    p.bootstraps.push_back({static_cast<int>(i), point.bootstraps[i], bound});
  }
  plan::validate(p, graph);
  return p;
}

plan::ApproximationPlan make_plan(std::string_view policy, const nn::Graph& graph,
                                  const Calibration& calibration, std::span<const float> calibration_images,
                                  const SelectionImages& selection, const HeCosts& costs,
                                  const PolicyOptions& options) {
  if (policy == "uniform") return uniform(graph, calibration, costs, options);
  if (policy != "ola" && policy != "dp") {
    fail_input("policy {} of HE-only networks is not known: uniform, ola or dp", policy);
  }
  const std::vector<Choices> choices = candidates(graph, calibration, options);
  const std::vector<FrontPoint> front = policy == "ola"
                                            ? layerwise_degrees(graph, choices, costs)
                                            : search_levels(graph, choices, costs, options.search);
  Chooser chooser(graph, calibration, calibration_images, selection, choices, options);
  return chooser.fastest(front, std::string(policy));
}

}  // namespace ap::degrees

// Policies for HE-only networks: what stands for each activation and where to bootstrap.
//
//   uniform  one composite ReLU for all activations, a bootstrap before each to one and the same level: the usual way, which
//            the others are compared with
//   ola      a degree for each activation by a dynamic programme over discretised time, a bootstrap before each to the levels
//            that it takes (OLA, arXiv 2310.10349)
//   dp       degrees, levels and places of bootstraps together
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/approximation/clear_simulation.h"
#include "planner/degrees/layerwise.h"

namespace ap::degrees {

/// What planning knows of a network, from calibration images.
struct Calibration {
  std::vector<approximation::InputDistribution> inputs;  ///< by activation, in the order of nodes
  std::vector<double> sensitivities;                     ///< A_i, likewise
  std::vector<double> largest;                           ///< greatest absolute value of every node
};

/// Sensitivities are taken from the first `sensitivity_images` (all, if fewer). `labels`: one an image, or none.
/// @throws Error(input) for networks with activations that compare, or without any activation.
Calibration calibrate(const nn::Graph& graph, std::span<const float> images, std::span<const int> labels,
                      std::size_t sensitivity_images = 256);

struct PolicyOptions {
  /// Intervals reach so many times as far as calibration did.
  double margin = 1.75;
  /// What polynomials are fitted under.
  approximation::FitWeights weights{approximation::FitWeights::Shape::histogram, 1, 1e-3};
  std::vector<int> degrees{approximation::kDegrees.begin(), approximation::kDegrees.end()};
  /// Composite ReLUs that are candidates as well, for activations that are ReLUs.
  std::vector<int> bits = {6, 8, 10, 13};
  /// Whether means of channels are made up for (approximation::set_offsets), with so many images.
  std::size_t offset_images = 128;
  /// `uniform`.
  int uniform_bits = 13;
  /// The most that top-1 may lose on the images of the choice, of 1.
  double max_loss = 0.005;
  /// Noise of activations in the simulation, in parts of the bound.
  double noise = 0x1p-16;
  SearchOptions search;
  /// Told after each simulated plan: its predicted seconds and variance, and what was found.
  std::function<void(const plan::ApproximationPlan&, const approximation::ClearResult&)> on_plan;
};

/// Candidates of every activation that no other beats in depth, products and error.
std::vector<Choices> candidates(const nn::Graph& graph, const Calibration& calibration,
                                const PolicyOptions& options);

/// A plan of one choice, with bounds by the margin; without offsets.
plan::ApproximationPlan assemble(const nn::Graph& graph, const Calibration& calibration,
                                 std::span<const Choices> choices, const FrontPoint& point,
                                 const std::string& policy, const PolicyOptions& options);

/// Images that plans are simulated with before one is taken, with labels.
struct SelectionImages {
  std::span<const float> images;
  std::span<const int> labels;
};

/// The plan of a policy, "uniform", "ola" or "dp". The last two take the fastest plan of their front whose simulated top-1 on
/// the selection images loses at most max_loss, by bisection, and whose values stay within 1/1.2 of their intervals.
/// `calibration_images` are those of `calibrate`, for offsets.
/// @throws Error(input) for an unknown policy, if no plan does, or if the cost model's levels do not suffice.
plan::ApproximationPlan make_plan(std::string_view policy, const nn::Graph& graph,
                                  const Calibration& calibration, std::span<const float> calibration_images,
                                  const SelectionImages& selection, const HeCosts& costs,
                                  const PolicyOptions& options = {});

}  // namespace ap::degrees

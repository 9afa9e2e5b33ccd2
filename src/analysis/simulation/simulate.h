// How accurate a network is under a plan, without cryptography: the integer network with the errors that the
// private protocol would make (analysis/noise/inject.h), over labelled images and several seeds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analysis/noise/inject.h"
#include "analysis/noise/interval.h"
#include "nn/execute/integer_executor.h"
#include "plan/plan.h"

namespace ap::plan {

/// The errors of `plan` on `network` (with its weights). @throws Error(input) if the plan is not valid for
/// it.
noise::ErrorModel error_model(const nn::QuantisedNetwork& network, const Plan& plan);

struct SimulateOptions {
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5};
  double confidence = 0.95;
  std::function<void()> on_image;  ///< called once an image, from any thread
};

/// Fractions are 0 to 1. What needs labels is absent without them.
struct Simulation {
  std::size_t images = 0;
  std::vector<std::uint64_t> seeds;
  std::optional<double> top1_clear;  ///< of the integer network without errors
  std::vector<double> top1;          ///< by seed
  std::optional<double> top1_mean;
  noise::Proportion top1_interval;  ///< Clopper-Pearson, for one private run over as many images
  std::optional<double> loss;       ///< top1_clear - top1_mean; negative if errors happen to help
  double loss_std_error = 0;        ///< of `loss`, over images
  std::vector<double> agreement;    ///< by seed: images with the same best class as without errors
  double agreement_mean = 0;
  noise::Proportion agreement_interval;
  double wrapped = 0;  ///< runs in which some accumulator left its modulus
  double seconds = 0;
};

/// Simulates any number of plans on the same images; what they have in common is done once.
class Simulator {
 public:
  /// `images` are quantised inputs of the network, one after another; `labels` one each, or empty. All of
  /// them must outlive this object.
  /// @throws Error(input) if there are no images or sizes differ.
  Simulator(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
            std::span<const int> labels);
  /// The result does not depend on the number of threads. @throws Error(input) if there are no seeds.
  Simulation run(const noise::ErrorModel& model, const SimulateOptions& options = {});
  Simulation run(const Plan& plan, const SimulateOptions& options = {});

 private:
  int best_class(std::size_t image, const nn::IntegerHooks& hooks) const;

  const nn::QuantisedNetwork* network_;
  std::span<const std::int32_t> images_;
  std::span<const int> labels_;
  std::size_t pixels_, count_;
  nn::IntegerExecutor executor_;
  std::vector<int> clear_;  ///< best class of each image without errors, once known
};

/// Simulator::run once.
Simulation simulate(const nn::QuantisedNetwork& network, const Plan& plan,
                    std::span<const std::int32_t> images, std::span<const int> labels,
                    const SimulateOptions& options = {});
Simulation simulate(const nn::QuantisedNetwork& network, const noise::ErrorModel& model,
                    std::span<const std::int32_t> images, std::span<const int> labels,
                    const SimulateOptions& options = {});

}  // namespace ap::plan

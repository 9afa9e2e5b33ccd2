#include "app/simulate.h"

#include <autoprivacy/simulate.h>

#include "app/api/convert.h"
#include "app/api/translate.h"

namespace autoprivacy {

using ap::app::translated;

namespace {

Interval interval_of(const ap::noise::Proportion& p) { return {p.low, p.high}; }

Simulation simulate_package(const ap::package::Package& package, const Images& images,
                            const SimulateOptions& options) {
  const ap::plan::Simulation s =
      ap::app::simulate(package, ap::app::dataset_of(images, package.network.input_shape()), options.seeds,
                        options.first_seed, ap::app::sink_of(options.progress));
  Simulation simulation;
  simulation.images = s.images;
  simulation.seeds = s.seeds.size();
  simulation.top1 = s.top1_mean;
  simulation.top1_clear = s.top1_clear;
  simulation.agreement = s.agreement_mean;
  simulation.agreement_interval = interval_of(s.agreement_interval);
  simulation.wrapped = s.wrapped;
  simulation.seconds = s.seconds;
  if (s.top1_clear) {
    simulation.top1_by_seed = s.top1;
    simulation.top1_interval = interval_of(s.top1_interval);
    simulation.loss = s.loss;
    simulation.loss_std_error = s.loss_std_error;
  }
  return simulation;
}

std::vector<ClearResult> classify_package(const ap::package::Package& package, const Images& images) {
  const auto data = ap::app::dataset_of(images, package.network.input_shape());
  std::vector<ClearResult> results;
  for (ap::app::ClearAnswer& answer : ap::app::classify_in_clear(package, data))
    results.push_back({answer.label, std::move(answer.scores)});
  return results;
}

}  // namespace

Simulation simulate(const std::filesystem::path& server_package, const Images& images,
                    const SimulateOptions& options) {
  return translated([&] { return simulate_package(ap::package::load(server_package), images, options); });
}

Simulation simulate(std::span<const std::uint8_t> server_package, const Images& images,
                    const SimulateOptions& options) {
  return translated(
      [&] { return simulate_package(ap::package::parse(server_package, "the package"), images, options); });
}

std::vector<ClearResult> classify_in_clear(const std::filesystem::path& server_package,
                                           const Images& images) {
  return translated([&] { return classify_package(ap::package::load(server_package), images); });
}

std::vector<ClearResult> classify_in_clear(std::span<const std::uint8_t> server_package,
                                           const Images& images) {
  return translated(
      [&] { return classify_package(ap::package::parse(server_package, "the package"), images); });
}

}  // namespace autoprivacy

#include "app/simulate.h"

#include <mutex>
#include <numeric>

#include "base/error.h"
#include "base/progress.h"
#include "nn/execute/integer_executor.h"

namespace ap::app {

plan::Simulation simulate(const package::Package& package, const nn::Dataset& data, int seeds,
                          std::uint64_t first_seed, bool progress) {
  if (package.role != Party::server) {
    fail_input("a client's package has no weights, so it cannot be simulated; use server.apm");
  }
  if (data.size() == 0) fail_input("no image was selected");
  if (seeds < 1 || seeds > kMaxSimulationSeeds) {
    fail_input("a simulation takes 1 to {} seeds, not {}", kMaxSimulationSeeds, seeds);
  }
  const auto normalization = nn::Normalization::parse(package.normalization);
  normalization.check(package.network.input_shape().c);
  std::vector<std::int32_t> images;
  images.reserve(data.size() * static_cast<std::size_t>(package.network.input_shape().size()));
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto image = nn::quantise_input(package.network, data.inputs(i, i + 1, normalization));
    images.insert(images.end(), image.begin(), image.end());
  }
  plan::SimulateOptions options;
  options.seeds.resize(static_cast<std::size_t>(seeds));
  std::iota(options.seeds.begin(), options.seeds.end(), first_seed);
  Progress bar("simulate", data.size(), progress);
  std::mutex mutex;
  options.on_image = [&] {
    const std::lock_guard lock(mutex);
    bar.advance();
  };
  return plan::simulate(package.network, package.plan, images, data.labels, options);
}

}  // namespace ap::app

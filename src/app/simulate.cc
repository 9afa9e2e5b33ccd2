#include "app/simulate.h"

#include <mutex>
#include <numeric>

#include "app/client.h"
#include "base/error.h"
#include "base/progress.h"
#include "nn/data/accuracy.h"
#include "nn/data/labels.h"
#include "nn/execute/integer_executor.h"
#include "nn/execute/preprocess.h"

namespace ap::app {
namespace {

void require_weights(const package::Package& package) {
  if (package.role != Party::server)
    fail_input("a client's package has no weights, so it cannot be simulated; use server.apm");
}

}  // namespace

plan::Simulation simulate(const package::Package& package, const nn::Dataset& data, int seeds,
                          std::uint64_t first_seed, const ProgressSink& progress) {
  require_weights(package);
  if (data.size() == 0) fail_input("no image was selected");
  if (seeds < 1 || seeds > kMaxSimulationSeeds) {
    fail_input("a simulation takes 1 to {} seeds, not {}", kMaxSimulationSeeds, seeds);
  }
  nn::check_labels(data.labels, static_cast<std::size_t>(package.network.output_shape().size()), data.source);
  const auto normalization = nn::Normalization::parse(package.normalization);
  normalization.check(package.network.input_shape().c);
  const std::vector<std::int32_t> images = nn::preprocess_all(package.network, data, normalization);
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

std::vector<ClearAnswer> classify_in_clear(const package::Package& package, const nn::Dataset& data) {
  require_weights(package);
  const nn::IntegerExecutor executor(package.network);
  std::vector<ClearAnswer> answers;
  for (const Image& image : preprocess(package, data)) {
    const std::vector<std::int32_t> logits = executor.logits(image);
    const std::vector<std::int64_t> wide(logits.begin(), logits.end());
    answers.push_back({nn::argmax(std::span<const std::int32_t>(logits)), scores(package.network, wide)});
  }
  return answers;
}

}  // namespace ap::app

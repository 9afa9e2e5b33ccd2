#include "train/errors.h"

#include <memory>
#include <utility>

#include "analysis/simulation/simulate.h"
#include "base/error.h"

namespace ap::train {

Errors inject(noise::ErrorModel model) {
  const auto shared = std::make_shared<const noise::ErrorModel>(std::move(model));
  return [shared](std::uint64_t seed, std::uint64_t image) {
    struct Run {
      std::shared_ptr<const noise::ErrorModel> model;
      noise::Injection injection;
      nn::IntegerHooks hooks;
    };
    const auto run = std::shared_ptr<Run>(new Run{shared, {*shared, seed, image}, {}});
    run->hooks = run->injection.hooks();
    nn::IntegerHooks hooks;
    hooks.after_node = [run](int node, std::span<std::int32_t> values) {
      run->hooks.after_node(node, values);
    };
    if (!shared->truncations.empty()) {
      hooks.rounding = [run](int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset) {
        run->hooks.rounding(node, x, offset);
      };
    }
    return hooks;
  };
}

Errors errors_of_plan(const nn::QuantisedNetwork& network, const plan::Plan& plan) {
  return inject(plan::error_model(network, plan));
}

SeedHalves halve_seeds(std::uint64_t first, int each) {
  AP_ASSERT(each > 0);
  SeedHalves halves;
  for (int i = 0; i < each; ++i) {
    halves.train.push_back(first + 2 * static_cast<std::uint64_t>(i));
    halves.evaluate.push_back(first + 2 * static_cast<std::uint64_t>(i) + 1);
  }
  return halves;
}

}  // namespace ap::train

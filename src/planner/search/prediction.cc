#include "planner/search/prediction.h"

#include "analysis/cost/layer_cost.h"
#include "plan/activation_spec.h"
#include "planner/spaces/assemble.h"

namespace ap::search {
namespace {

Price engine_price(cost::Engine engine, const activation::ActivationSpec& spec, double bytes_per_second,
                   const cost::Profile& profile) {
  const cost::LayerWork work = cost::activation_work(engine, spec, profile);
  const double bytes = work.offline.bytes() + work.online.bytes();
  return {cost::cpu_of(work.offline, profile).sum() + cost::cpu_of(work.online, profile).sum() +
              bytes / bytes_per_second,
          static_cast<std::uint64_t>(bytes)};
}

}  // namespace

Price linear_price(const plan::LinearChoice& choice, double bytes_per_second) {
  return {choice.predicted_s + static_cast<double>(choice.predicted_bytes) / bytes_per_second,
          choice.predicted_bytes};
}

Price activation_price(activation::ActivationSpec spec, const std::string& engine, double bytes_per_second,
                       const cost::Profile& profile) {
  if (engine == "gc") return engine_price(cost::Engine::gc, spec, bytes_per_second, profile);
  if (spec.pooled() && spec.windows.empty()) {
    // Which elements a window holds hardly matters to the price.
    for (std::size_t i = 0; i < spec.outputs * spec.pool_size; ++i) {
      spec.windows.push_back(static_cast<std::uint32_t>(i % spec.inputs));
    }
  }
  const Price transfers = engine_price(cost::Engine::ot, spec, bytes_per_second, profile);
  if (engine != "auto" || spec.square) return transfers;
  const Price garbled = engine_price(cost::Engine::gc, spec, bytes_per_second, profile);
  return garbled.seconds < transfers.seconds ? garbled : transfers;
}

Price plan_price(const nn::QuantisedNetwork& network, const plan::Plan& plan, double bytes_per_second,
                 const cost::Profile& profile) {
  Price total;
  for (const plan::LinearChoice& choice : plan.linears) total += linear_price(choice, bytes_per_second);
  for (const plan::ActivationChoice& choice : plan.activations) {
    if (!plan.primes.empty()) {
      // Garbled modulo primes, as the plan has priced it.
      total += {choice.predicted_s + static_cast<double>(choice.predicted_bytes) / bytes_per_second,
                choice.predicted_bytes};
      continue;
    }
    total += activation_price(plan::spec_of(network, choice), choice.engine, bytes_per_second, profile);
  }
  return total;
}

}  // namespace ap::search

#include "planner/search/prediction.h"

#include "analysis/cost/layer_cost.h"
#include "plan/activation_spec.h"
#include "planner/spaces/assemble.h"

namespace ap::search {
namespace {

Price protocol_price(ActivationProtocol protocol, const activation::ActivationSpec& spec,
                     double bytes_per_second, const cost::Profile& profile) {
  const cost::LayerWork work = cost::activation_work(protocol, spec, profile);
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

Price activation_price(activation::ActivationSpec spec, const std::string& protocol, double bytes_per_second,
                       const cost::Profile& profile) {
  if (protocol == "gc") return protocol_price(ActivationProtocol::gc, spec, bytes_per_second, profile);
  if (spec.pooled() && spec.windows.empty()) {
    // Which elements a window holds hardly matters to the price.
    for (std::size_t i = 0; i < spec.outputs * spec.pool_size; ++i) {
      spec.windows.push_back(static_cast<std::uint32_t>(i % spec.inputs));
    }
  }
  const Price transfers = protocol_price(ActivationProtocol::ot, spec, bytes_per_second, profile);
  if (protocol != "auto" || spec.square) return transfers;
  const Price garbled = protocol_price(ActivationProtocol::gc, spec, bytes_per_second, profile);
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
    total += activation_price(plan::spec_of(network, choice), choice.protocol, bytes_per_second, profile);
  }
  return total;
}

}  // namespace ap::search

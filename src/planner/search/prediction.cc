#include "planner/search/prediction.h"

#include "analysis/cost/layer_cost.h"
#include "layers/activation/one_trip/one_trip_plan.h"

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
  const bool trips = activation::takes_one_trip(spec);
  if (protocol == "one-trip" && trips)
    return protocol_price(ActivationProtocol::one_trip, spec, bytes_per_second, profile);
  Price transfers = protocol_price(ActivationProtocol::ot, spec, bytes_per_second, profile);
  if (protocol == "auto" && trips) {
    const Price one_trip = protocol_price(ActivationProtocol::one_trip, spec, bytes_per_second, profile);
    if (one_trip.seconds < transfers.seconds) transfers = one_trip;
  }
  if (protocol != "auto" || spec.square || spec.table || spec.product) return transfers;
  const Price garbled = protocol_price(ActivationProtocol::gc, spec, bytes_per_second, profile);
  return garbled.seconds < transfers.seconds ? garbled : transfers;
}

}  // namespace ap::search

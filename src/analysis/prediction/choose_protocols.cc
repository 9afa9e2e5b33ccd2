#include "analysis/prediction/choose_protocols.h"

#include "analysis/cost/layer_cost.h"

namespace ap::protocol {
namespace {

// Garbling sends many times the bytes of oblivious transfers, and memory that it fills makes it slower in a
// whole inference than layer by layer. It must save a quarter of the time, which also keeps the choice the
// same in every run.
constexpr double kWorthTheBytes = 0.75;
// One trip sends about twice the bytes of `ot`, and must be as clearly faster.
constexpr double kWorthTwiceTheBytes = 0.9;

}  // namespace

cost::Setting setting_of(const Link& link, const cost::Profile& profile) {
  if (link.bytes_per_second > kNearBytesPerSecond && link.round_trip_s < kNearRoundTrip) {
    return cost::Setting::local(profile.cores, profile.network.round_trip);
  }
  return {profile.cores, false, link.bytes_per_second, link.round_trip_s};
}

std::vector<ActivationProtocol> choose_protocols(const Model& model, const Link& link,
                                                 const cost::Profile& profile) {
  std::vector<ActivationProtocol> protocols = named_protocols(model);
  const cost::Setting setting = setting_of(link, profile);
  const auto seconds = [&](ActivationProtocol protocol, const ActivationLayer& layer) {
    return cost::activation_seconds(protocol, layer.spec, profile, setting,
                                    {layer.ot_plan.get(), layer.one_trip_plan.get()});
  };
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    if (!is_open(model, i)) continue;
    const ActivationLayer& layer = model.activations()[i];
    ActivationProtocol& best = protocols[i] = ActivationProtocol::ot;
    double least = seconds(ActivationProtocol::ot, layer);
    if (layer.one_trip_plan) {
      const double one_trip = seconds(ActivationProtocol::one_trip, layer);
      if (one_trip < kWorthTwiceTheBytes * least) {
        best = ActivationProtocol::one_trip;
        least = one_trip;
      }
    }
    if (seconds(ActivationProtocol::gc, layer) <= kWorthTheBytes * least) best = ActivationProtocol::gc;
  }
  return protocols;
}

ProtocolChooser chooser_of(const cost::Profile& profile) {
  return [profile](const Model& model, const Link& link) { return choose_protocols(model, link, profile); };
}

}  // namespace ap::protocol

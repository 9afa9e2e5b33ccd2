// The link between the parties, as the client measures it, and the choice of an engine for each activation by
// it.
#pragma once

#include <vector>

#include "cost/profile.h"
#include "cost/setting.h"
#include "net/channel.h"
#include "protocol/engines.h"
#include "protocol/model.h"

namespace ap::protocol {

struct Link {
  double round_trip_s = 0;
  double bytes_per_second = 0;
};

/// The client's side: a few echoes of a byte, then one of kProbeBytes.
Link measure_link(net::Channel& channel);
/// The server's side of one echo. @throws Error(peer) if more than kProbeBytes are to be echoed.
void answer_probe(net::Channel& channel);

inline constexpr std::size_t kProbeBytes = std::size_t{1} << 19;

/// What a link means for the choice. Above 1.2 Gbit/s and below 1 ms the parties count as sharing a machine,
/// whatever was measured, so that runs on one machine all choose alike and as was predicted.
cost::Setting setting_of(const Link& link, const cost::Profile& profile);

/// The engine that takes less time on this link by the model of cost/layer_cost.h, for each activation. A
/// plan may name the engine of a layer; "auto" leaves it to this, except where shares modulo a prime need gc.
std::vector<Engine> choose_engines(const Model& model, const Link& link,
                                   const cost::Profile& profile = cost::typical_profile());

/// Whether any layer's engine is left open.
bool wants_link(const Model& model);

}  // namespace ap::protocol

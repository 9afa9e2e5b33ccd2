// The choice of a protocol for each activation that a plan leaves open, by what the link between the parties
// costs.
#pragma once

#include <vector>

#include "analysis/cost/profile.h"
#include "analysis/cost/setting.h"
#include "protocol/hybrid/link.h"
#include "protocol/hybrid/model.h"

namespace ap::protocol {

/// What a link means for the choice. Above 1.2 Gbit/s and below 1 ms the parties count as sharing a machine,
/// whatever was measured, so that runs on one machine all choose alike and as was predicted.
cost::Setting setting_of(const Link& link, const cost::Profile& profile);

/// The protocol that takes less time on this link by the model of analysis/cost/layer_cost.h, for each
/// activation. A plan may name the protocol of a layer; "auto" leaves it to this, except where shares modulo
/// a prime need gc.
std::vector<ActivationProtocol> choose_protocols(const Model& model, const Link& link,
                                                 const cost::Profile& profile = cost::typical_profile());

/// What sessions choose with (ClientOptions::choose): choose_protocols with these unit costs.
ProtocolChooser chooser_of(const cost::Profile& profile);

}  // namespace ap::protocol

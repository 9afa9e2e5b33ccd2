// What a session will cost before it runs (analysis/cost): the parts that only the protocol knows, its own
// messages and the protocol of every activation, put together with the costs of the layers.
#pragma once

#include <span>

#include "analysis/cost/session_cost.h"
#include "protocol/hybrid/activations.h"
#include "protocol/hybrid/model.h"

namespace ap::protocol {

using cost::kTypicalSession;

/// Everything that costs depend on. `protocols`: of every activation, as choose_protocols gives them.
cost::SessionShape session_shape(const Model& model, std::span<const ActivationProtocol> protocols);

/// Means per image of a session of `images` inferences in this setting; activations whose protocol the plan
/// leaves open take the one that the setting favours.
cost::Prediction predict(const Model& model, const cost::Profile& profile, const cost::Setting& setting,
                         std::uint64_t images = kTypicalSession);

/// Writes the figures of layers into a plan of the same network: seconds of processor time of both parties
/// and bytes, of both phases. The argmax of a plan that reveals labels has none there.
void set_predictions(const cost::Prediction& prediction, plan::Plan& plan);

}  // namespace ap::protocol

// The public part of a package as JSON: structure of the network and the plan. Reading checks every field's
// presence, type and range (base/json_reader.h), so nothing is cut to fit; what the fields mean together is
// checked by nn::validate and plan::validate.
#pragma once

#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::package {

using Json = nlohmann::json;

/// Structure only: no weights, no scales but those of input and logits, no ranges but those of the input.
Json network_to_json(const nn::QuantisedNetwork& network);
nn::QuantisedNetwork network_from_json(const JsonReader& json);

Json plan_to_json(const plan::Plan& plan);
plan::Plan plan_from_json(const JsonReader& json);

/// What only the server knows besides weights: scale and range of every node.
Json private_to_json(const nn::QuantisedNetwork& network);
void private_from_json(const JsonReader& json, nn::QuantisedNetwork& network);

}  // namespace ap::package

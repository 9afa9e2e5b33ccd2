// The activation layer of a quadratic node (plan/quadratic.h).
#pragma once

#include "nn/quantised_network.h"
#include "protocol/model.h"

namespace ap::protocol {

ActivationLayer quadratic_layer(const nn::QNode& node, const plan::ActivationChoice& choice);

}  // namespace ap::protocol

// Mean errors of channels, made up for by constants. A polynomial that is right on average over a whole layer is not so for
// each channel, and such errors are the same at every position, so that they add up where independent ones would average out.
#pragma once

#include <span>
#include <vector>

#include "plan/approximation/approximation_plan.h"

namespace ap::approximation {

/// Sets the offsets, in the order of nodes, so that every channel of every activation has the mean over the images that it has
/// in the network itself, with the approximations and offsets before it. All images go through the network together: memory
/// is that of their largest tensors. @throws Error(input) if the plan does not fit or images are not whole.
void set_offsets(const nn::Graph& graph, std::vector<plan::ApproximateActivation>& activations,
                 std::span<const float> images);

}  // namespace ap::approximation

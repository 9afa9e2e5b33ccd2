// What `compile` would refuse of a network whatever the calibration images are, found without them.
#pragma once

#include "nn/ir/graph.h"

namespace ap::app {

/// @throws Error(input) naming the node, its size and the limit
void check_expressible(const nn::Graph& graph);

}  // namespace ap::app

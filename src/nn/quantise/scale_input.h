// Inputs whose channels have unlike sizes, as tables have them: one step for all would leave the small ones few
// levels. A factor for every channel, which the normalisation multiplies by and the first layers divide by, changes
// nothing in float.
#pragma once

#include <span>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

/// The factor of each channel of the input that brings its largest magnitude over `images` to that of the largest
/// channel; all 1 where sizes are alike (within a factor of two, as colours are) or where something other than
/// a linear layer reads the input.
std::vector<double> input_factors(const Graph& graph, std::span<const Tensor> images);

/// Divides what reads channel c of the input by factors[c], which are input_factors' of this graph.
void scale_input(Graph& graph, std::span<const double> factors);

}  // namespace ap::nn

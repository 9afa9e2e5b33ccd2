// Rewrites of a graph that keep its function and leave fewer nodes.
#pragma once

#include "nn/ir/graph.h"

namespace ap::nn {

/// Folds an AffineOp into the convolution or fully connected layer before it (if nothing else reads that
/// layer) or after it (if padding cannot tell the difference), zero padding into convolutions, gathers into
/// each other and into fully connected layers; then drops every node that `output` does not need and makes
/// `output` the last.
/// @throws Error(input) if the output is the input itself.
void simplify(Graph& graph, int output);

}  // namespace ap::nn

// Export of a graph as an ONNX file (opset 13, float32, free batch dimension) that import_onnx and other
// tools read. A quadratic is written as Mul and Add nodes, a per-channel scaling as Mul and Add with
// constants, a selection of elements as Flatten, Pad, Gather and Reshape.
#pragma once

#include <string>

#include "base/bytes.h"
#include "nn/ir/graph.h"

namespace ap::nn {

/// The file's bytes; `description` becomes its doc string. Input "image" [N, c, h, w], output "logits" [N, n]
/// (or [N, c, h, w] if the last node has a height or width). Nodes keep their names. Importing the bytes
/// gives the same function. The same graph always gives the same bytes.
/// @throws Error(input) if the graph is not valid or too large for one file (2 GiB).
Bytes export_onnx(const Graph& graph, const std::string& description = {});

}  // namespace ap::nn

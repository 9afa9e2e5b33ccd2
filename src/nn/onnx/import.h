// Import of a trained network from an ONNX file. Which operators are supported, with which attributes and limits, is in
// docs/operators.md, which operators.h writes.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "nn/ir/graph.h"

namespace ap::nn {

struct ImportOptions {
  /// The output (or any other tensor) of the file to end with; empty: all outputs, one after the other.
  std::string output;
  /// Where data files beside the .onnx file are; empty: there are none.
  std::filesystem::path folder;
};

/// The graph is named after the file, without its extension. Files up to 1 GiB, and the data files beside them.
/// @throws Error(input) for a file that cannot be read or used. Nodes that are not supported are all named in
/// one message, each with its operator and what to do about it.
Graph import_onnx(const std::filesystem::path& path, const std::string& output = {});

/// Imports a file that is in memory; `name` names the graph and stands for the file in messages.
Graph import_onnx_bytes(ByteView bytes, const std::string& name, const ImportOptions& options = {});

}  // namespace ap::nn

// Import of a trained network from an ONNX file.
//
// Operators: Conv, Gemm, MatMul, BatchNormalization; Relu, Clip; Add, Sub, Mul, Div, Neg, Pow as far as they
// form sums of tensors, per-channel scaling or a polynomial of degree two of one tensor; MaxPool,
// AveragePool, GlobalAveragePool, ReduceMean over the image; Flatten, Reshape, Squeeze, Unsqueeze, Transpose,
// Slice, Gather at constant places, Pad with zeros, Concat of channels, Identity, Dropout; a last Softmax or
// LogSoftmax is left out (see Graph::notes).
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "nn/ir/graph.h"

namespace ap::nn {

/// The graph is named after the file, without its extension. Files up to 1 GiB.
/// @throws Error(input) for a file that cannot be read or used. Nodes that are not supported are all named in
/// one message, each with its operator and what to do about it.
Graph import_onnx(const std::filesystem::path& path);

/// Imports a file that is in memory; `name` names the graph and stands for the file in messages.
Graph import_onnx_bytes(ByteView bytes, const std::string& name);

}  // namespace ap::nn

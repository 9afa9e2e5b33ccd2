// A float network and what stands for its activations as bytes, for the private part of packages.
#pragma once

#include "base/bytes.h"
#include "he_only/plan/program.h"
#include "nn/ir/graph.h"

namespace ap::he_only {

/// Every node with its weights. What homomorphic encryption alone does not compute (maxima, products) has no form here.
void write_graph(const nn::Graph& graph, ByteWriter& out);
/// The same graph, validated. No memory is taken that the bytes do not fill. @throws Error(input) that says what is wrong
nn::Graph read_graph(ByteReader& in, const std::string& name);

void write_choices(const Choices& choices, ByteWriter& out);
/// For a network of so many steps. @throws Error(input) for numbers out of range
Choices read_choices(ByteReader& in, std::size_t steps, const std::string& name);

}  // namespace ap::he_only

// The trained numbers of a graph as leaf tensors. Only the .cc files of this module include this header: it
// brings in ATen.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/ir/graph.h"

namespace ap::train {

/// The parameters of one node; undefined tensors where the operation has none.
struct NodeParameters {
  at::Tensor
      weights;      ///< [c_out, c_in / groups, k_h, k_w], [n_out, n_in], or the scale [c] of an affine node
  at::Tensor bias;  ///< [c_out], [n_out], or the shift [c]
  at::Tensor mean, variance;  ///< running statistics of a batch normalisation
};

struct Parameters {
  /// With `batch_normalisation` affine nodes are normalisations by the statistics of the batch, to be trained
  /// from scratch, and their present scale and shift are gain and offset after it. Without it they stay as
  /// they are: frozen.
  Parameters(const nn::Graph& graph, bool batch_normalisation);

  std::vector<NodeParameters> nodes;  ///< by node of the graph
  /// What gradients flow to.
  std::vector<at::Tensor> leaves() const;
  /// What else belongs to the state of a training.
  std::vector<at::Tensor> buffers() const;
  /// Writes the numbers back; `graph` must be of the structure that this was made from.
  void store(nn::Graph& graph) const;
};

inline constexpr double kBatchNormalisationEpsilon = 1e-5;

}  // namespace ap::train

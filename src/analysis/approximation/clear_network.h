// A float network in the clear, with its own activations or with what stands for them on ciphertexts: for calibration, for
// sensitivities, and to see whether a plan is good before anything is encrypted.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "analysis/approximation/linear_maps.h"
#include "nn/ir/graph.h"
#include "plan/approximation/approximation_plan.h"

namespace ap::approximation {

/// Looks at the activations of one image after another, in the order of nodes.
class Visitor {
 public:
  virtual ~Visitor() = default;
  /// The input of an activation, before it is computed.
  virtual void input(std::size_t image, int node, std::span<const float> values) = 0;
  /// Its result, which may be changed.
  virtual void output(std::size_t image, int node, std::span<float> values) = 0;
};

class ClearNetwork {
 public:
  /// The network's own activations. The graph must outlive this object.
  /// @throws Error(input) for nodes that no plan can have (max pooling), with the node's name.
  explicit ClearNetwork(const nn::Graph& graph);
  /// Those of a plan in their place, one for each. @throws Error(input) if one is missing or too many.
  ClearNetwork(const nn::Graph& graph, std::span<const plan::ApproximateActivation> activations);

  const nn::Graph& graph() const { return *graph_; }
  /// Nodes that are activations, rising.
  const std::vector<int>& activations() const& { return nodes_; }
  std::vector<int> activations() && { return std::move(nodes_); }

  /// What one thread needs; every node's values of the last image.
  struct Memory {
    std::vector<std::vector<float>> values, gradients;
    PatchMemory patches;
  };
  /// All values of one image, normalised, input_shape().size() of them.
  void forward(std::size_t number, std::span<const float> image, Memory& memory,
               Visitor* visitor = nullptr) const;
  /// One node of it, once those before are there; `forward` is all of them in order, after values[0].
  void step(std::size_t number, std::size_t node, Memory& memory, Visitor* visitor = nullptr) const;
  /// After `forward`: d r / d values of every node, given d r / d logits, as if activations had the slope of the network's own.
  void backward(std::span<const float> logit_gradient, Memory& memory) const;

  /// Images are taken in chunks of kChunk, each by one thread.
  static constexpr std::size_t kChunk = 32;
  /// Logits of count images, one after the other. `visitor(chunk)` gives each chunk its own, or none; results and calls do
  /// not depend on the number of threads. @throws Error(input) if `images` are not whole images.
  std::vector<float> logits(std::span<const float> images,
                            const std::function<Visitor*(std::size_t chunk)>& visitor = {}) const;

 private:
  struct Function;

  const nn::Graph* graph_;
  std::vector<int> nodes_;
  std::vector<std::shared_ptr<const Function>> functions_;  ///< by node; null: the network's own
};

/// The network's own activation at x.
double exact_activation(const nn::Op& op, double x);

}  // namespace ap::approximation

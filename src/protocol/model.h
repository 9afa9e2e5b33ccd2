// What both parties derive from a package before the first message: for every linear layer its context,
// layout and reply formats, for every activation its circuit specification. Sizes of all messages follow from
// it. Immutable, so a server shares one among its sessions.
#pragma once

#include <memory>
#include <vector>

#include "bfv/context.h"
#include "linear/he_linear.h"
#include "nn/quantised_network.h"
#include "nonlinear/activation_spec.h"
#include "plan/plan.h"
#include "protocol/share.h"

namespace ap::protocol {

struct LinearLayer {
  int node = 0;
  int input = 0;  ///< node whose value it reads
  int group = 0;  ///< which (N, q), hence which key
  std::shared_ptr<const linear::HeLinear> he;
};

struct ActivationLayer {
  int node = 0;
  int input = 0;
  plan::Truncation truncation;  ///< of the input; with spec.square to the quadratic's argument
  std::int64_t low = 0;
  nonlinear::ActivationSpec spec;
};

class Model {
 public:
  /// Network and plan must be valid (package::parse checks files).
  Model(const nn::QuantisedNetwork& network, const plan::Plan& plan);

  const nn::QuantisedNetwork& network() const { return network_; }
  const plan::Plan& plan() const { return plan_; }
  const std::vector<bfv::ContextPtr>& contexts() const { return contexts_; }
  const std::vector<LinearLayer>& linears() const { return linears_; }
  const std::vector<ActivationLayer>& activations() const { return activations_; }
  /// log2 of the sharing modulus of a node.
  int bits(int node) const { return plan_.modulus_bits[static_cast<std::size_t>(node)]; }
  std::size_t size(int node) const;
  const nn::QNode& node(int index) const { return network_.nodes[static_cast<std::size_t>(index)]; }

 private:
  nn::QuantisedNetwork network_;
  plan::Plan plan_;
  std::vector<bfv::ContextPtr> contexts_;
  std::vector<LinearLayer> linears_;
  std::vector<ActivationLayer> activations_;
};

/// A party's shares of an activation's input, as the circuit takes them: reduced, offset added (server only),
/// truncated locally and, for the server, lowered by the clamp's lower bound. Of quadratics: shares of t.
enum class Party { client, server };
Share circuit_input(const ActivationLayer& layer, ShareView share, Party party);

/// Computes in `shares` every local node after `from` whose inputs are all present. Shares are indexed by
/// node; an absent one is empty.
void apply_local_nodes(const Model& model, std::vector<Share>& shares);

}  // namespace ap::protocol

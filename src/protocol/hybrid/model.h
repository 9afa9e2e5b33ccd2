// What both parties derive from a package before the first message: for every linear layer its homomorphic
// part, for every activation its circuit specification, for every node what its shares are taken modulo.
// Sizes of all messages follow from it. Immutable, so a server shares one among its sessions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/party.h"
#include "layers/activation/activation_spec.h"
#include "layers/activation/one_trip/one_trip_plan.h"
#include "layers/activation/ot/ot_plan.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"
#include "protocol/hybrid/he_layer.h"
#include "protocol/hybrid/share.h"

namespace ap::protocol {

struct LinearLayer {
  int node = 0;
  int input = 0;  ///< node whose value it reads
  std::shared_ptr<const HeLayer> he;
};

struct ActivationLayer {
  int node = 0;
  int input = 0;
  int second_input = -1;        ///< of a product: the node of its other factor
  plan::Truncation truncation;  ///< of the input; with spec.square to the quadratic's argument
  std::int64_t low = 0;         ///< lower bound of the clamp
  std::int64_t result_low = 0;  ///< what the server adds to its share of the result
  activation::ActivationSpec spec;
  std::string protocol;  ///< as the plan names it
  /// How the `ot` protocol runs it, made once because large pooling layers take time; absent where that protocol
  /// cannot be chosen.
  std::shared_ptr<const activation::OtPlan> ot_plan;
  std::shared_ptr<const activation::OneTripPlan> one_trip_plan;  ///< likewise
};

class Model {
 public:
  /// Network and plan must be valid (package::parse checks files).
  Model(const nn::QuantisedNetwork& network, const plan::Plan& plan);

  const nn::QuantisedNetwork& network() const { return network_; }
  const plan::Plan& plan() const { return plan_; }
  const HeGroups& groups() const { return groups_; }
  const std::vector<LinearLayer>& linears() const { return linears_; }
  /// With reveals_label() the argmax is the last of them; its node is one past the network's.
  const std::vector<ActivationLayer>& activations() const { return activations_; }
  /// The client learns the best class instead of the logits.
  bool reveals_label() const { return plan_.reveal == plan::Reveal::label; }
  /// Tensors of which shares are held: one for each node, and the label. The last is what the client learns.
  std::size_t tensors() const { return moduli_.size(); }
  /// What shares of a node are taken modulo.
  const ShareModulus& modulus(int node) const { return moduli_[static_cast<std::size_t>(node)]; }
  std::size_t size(int node) const;
  const std::string& name(int node) const;
  /// The nodes that a node reads; the label's is the last node.
  std::vector<int> inputs(int node) const;
  const nn::QNode& node(int index) const { return network_.nodes[static_cast<std::size_t>(index)]; }

 private:
  nn::QuantisedNetwork network_;
  plan::Plan plan_;
  std::vector<ShareModulus> moduli_;
  HeGroups groups_;
  std::vector<LinearLayer> linears_;
  std::vector<ActivationLayer> activations_;

  void add_argmax();
};

/// A party's shares of an activation's input, as the circuit takes them: reduced, offset added (server only),
/// truncated locally and, for the server, lowered by the clamp's lower bound. Shares modulo a prime cannot be
/// truncated locally: there the circuit does all of it. Of quadratics: shares of t.
Share circuit_input(const ActivationLayer& layer, ShareView share, Party party);

/// circuit_input of the layer's input among the shares of all nodes; of a product the words of both factors.
Share activation_input(const ActivationLayer& layer, const std::vector<Share>& shares, Party party);

/// The elements of a message with one tensor of shares, packed, and back. @throws Error(peer) that names
/// `what` unless every element is below the modulus.
Bytes pack_shares(ShareView shares, const ShareModulus& modulus);
Share unpack_shares(ByteView bytes, std::size_t count, const ShareModulus& modulus, const char* what);

/// Computes in `shares` every local node after `from` whose inputs are all present. Shares are indexed by
/// node; an absent one is empty.
void apply_local_nodes(const Model& model, std::vector<Share>& shares);
/// One of them, whose inputs are present.
void apply_local_node(const Model& model, int node, std::vector<Share>& shares);

}  // namespace ap::protocol

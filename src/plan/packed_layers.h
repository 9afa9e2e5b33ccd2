// The linear layers of a plan as what runs them: the one place where a choice becomes a packing.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/simd/linear.h"
#include "plan/plan.h"

namespace ap::plan {

/// The contexts of a plan's parameter groups.
struct GroupContexts {
  std::vector<bfv::ContextPtr> coefficient;
  std::vector<bfv::BatchContextPtr> simd;
};
/// @throws Error(input) naming the parameter that is wrong.
GroupContexts make_contexts(const Plan& plan);

/// A layer as the class that exchanges its messages.
using LinearLayer =
    std::variant<std::shared_ptr<const linear::HeLinear>, std::shared_ptr<const linear::SimdLinear>>;
/// What is the same for all packings.
const linear::PackedLayer& packed(const LinearLayer& layer);

/// The layer of one choice, whose node is linear and whose group exists. @throws Error(input) if the layer does not
/// fit its ring, or a number of the choice is out of range.
LinearLayer make_layer(const LinearChoice& choice, const nn::QuantisedNetwork& network,
                       const GroupContexts& contexts);

/// The layers of all choices, in the order of Plan::linears. The plan must be valid for the network.
std::vector<LinearLayer> make_layers(const Plan& plan, const nn::QuantisedNetwork& network,
                                     const GroupContexts& contexts);
inline std::vector<LinearLayer> make_layers(const Plan& plan, const nn::QuantisedNetwork& network) {
  return make_layers(plan, network, make_contexts(plan));
}

}  // namespace ap::plan

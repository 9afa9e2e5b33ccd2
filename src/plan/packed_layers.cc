#include "plan/packed_layers.h"

namespace ap::plan {
namespace {

/// Makes the layer of each packing.
struct Maker {
  const LinearChoice& choice;
  linear::Geometry geometry;
  const GroupContexts& contexts;

  std::size_t group() const { return static_cast<std::size_t>(choice.group); }
  LinearLayer operator()(const CoefficientChoice& c) const {
    const bfv::ContextPtr& context = contexts.coefficient.at(group());
    return std::make_shared<const linear::HeLinear>(
        linear::Layout(geometry, c.packing, bfv::parameters(*context).n), context, choice.log2_p,
        c.c0_dropped_bits, c.c1_dropped_bits, choice.noise_step);
  }
  LinearLayer operator()(const SimdChoice& c) const {
    return std::make_shared<const linear::SimdLinear>(geometry, contexts.simd.at(group()), c);
  }
};

}  // namespace

GroupContexts make_contexts(const Plan& plan) {
  GroupContexts contexts;
  for (const bfv::Parameters& group : plan.groups) contexts.coefficient.push_back(bfv::make_context(group));
  for (const bfv::BatchParameters& group : plan.batch_groups)
    contexts.simd.push_back(bfv::make_batch_context(group));
  return contexts;
}

const linear::PackedLayer& packed(const LinearLayer& layer) {
  return std::visit([](const auto& each) -> const linear::PackedLayer& { return *each; }, layer);
}

LinearLayer make_layer(const LinearChoice& choice, const nn::QuantisedNetwork& network,
                       const GroupContexts& contexts) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  return std::visit(
      Maker{choice, linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c), contexts},
      choice.packing);
}

std::vector<LinearLayer> make_layers(const Plan& plan, const nn::QuantisedNetwork& network,
                                     const GroupContexts& contexts) {
  std::vector<LinearLayer> layers;
  for (const LinearChoice& choice : plan.linears) layers.push_back(make_layer(choice, network, contexts));
  return layers;
}

}  // namespace ap::plan

#include "protocol/quadratic_layer.h"

#include "plan/quadratic.h"

namespace ap::protocol {

ActivationLayer quadratic_layer(const nn::QNode& node, const plan::ActivationChoice& choice) {
  const auto& op = std::get<nn::QQuadratic>(node.op);
  ActivationLayer layer;
  layer.node = choice.node;
  layer.input = node.inputs.front();
  layer.truncation = choice.argument;
  layer.low = op.low;
  layer.spec = plan::quadratic_spec(op, choice, static_cast<std::size_t>(node.shape.size()));
  return layer;
}

}  // namespace ap::protocol

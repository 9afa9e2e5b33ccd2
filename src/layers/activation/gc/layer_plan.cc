#include "layers/activation/gc/layer_plan.h"

#include "base/error.h"
#include "layers/activation/gc/activation_circuits.h"
#include "layers/activation/gc/argmax_circuit.h"
#include "mpc/garble/garble.h"

namespace ap::activation {
namespace {

/// Instances of one batch: whole groups of lanes of which neither tables nor labels exceed a message.
std::size_t batch_size(std::size_t garbled_bytes, std::size_t labels) {
  const std::size_t most = kMessageBytes / std::max(garbled_bytes, 16 * labels);
  return std::max(mpc::kGarbleLanes, most / mpc::kGarbleLanes * mpc::kGarbleLanes);
}

}  // namespace

std::size_t LayerPlan::window_bytes(const ActivationSpec& spec, std::size_t count) const {
  return (spec.pool_size - 1) * max.garbled_bytes(count) + last.garbled_bytes(count);
}

LayerPlan plan_layer(const ActivationSpec& spec) {
  if (spec.product) {
    fail_input(
        "activation layer: garbling takes the client's share offline, that of a product comes online; choose ot "
        "or auto");
  }
  if (spec.table) {
    fail_input(
        "activation layer: protocol gc has no circuit for a table (SiLU, GELU, sigmoid and the like); choose ot "
        "or auto");
  }
  if (spec.square) {
    fail_input(
        "activation layer: garbling takes the client's share offline, that of a quadratic comes online");
  }
  LayerPlan plan;
  plan.first = spec.joined() ? sum_circuit(spec) : clamp_sum_circuit(spec);
  plan.first_batch =
      batch_size(plan.first.garbled_bytes(mpc::kGarbleLanes) / mpc::kGarbleLanes + 1, plan.first.inputs);
  plan.tweaks = plan.first.tweaks() * spec.inputs;
  if (spec.joined()) {
    if (spec.pooled()) plan.max = max_circuit(spec);
    plan.last = spec.argmax ? argmax_circuit(spec.inputs, spec.sum_bits) : clamp_circuit(spec);
    plan.window_batch = batch_size(plan.window_bytes(spec, mpc::kGarbleLanes) / mpc::kGarbleLanes + 1, 1);
    plan.tweaks += ((spec.pool_size - 1) * plan.max.tweaks() + plan.last.tweaks()) * spec.outputs;
  }
  return plan;
}

void gather_elements(const ActivationSpec& spec, std::span<const mpc::Block> labels, std::size_t first,
                     std::size_t position, std::size_t stride, std::span<mpc::Block> to) {
  const auto n = static_cast<std::size_t>(spec.sum_bits);
  for (std::size_t i = 0; i * stride < to.size(); ++i) {
    const std::size_t index = spec.windows[(first + i) * spec.pool_size + position];
    std::copy_n(&labels[index * n], n, &to[i * stride]);
  }
}

}  // namespace ap::activation

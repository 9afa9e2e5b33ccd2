#include "layers/activation/gc/garbled_sizes.h"

#include "base/bits.h"
#include "layers/activation/gc/layer_plan.h"
#include "mpc/ot/cot.h"

namespace ap::activation {

std::uint64_t and_gates(const ActivationSpec& spec) {
  const LayerPlan plan = plan_layer(spec);
  std::uint64_t gates = plan.first.and_gates() * spec.inputs;
  if (spec.joined()) {
    gates += ((spec.pool_size - 1) * plan.max.and_gates() + plan.last.and_gates()) * spec.outputs;
  }
  return gates;
}

std::uint64_t column_bytes(const ActivationSpec& spec) {
  return mpc::cot_bytes(mpc::kCotTile) +
         mpc::cot_bytes(spec.inputs * static_cast<std::uint64_t>(spec.share_bits()));
}

std::uint64_t table_bytes(const ActivationSpec& spec) {
  const LayerPlan plan = plan_layer(spec);
  std::uint64_t bytes = 0;
  for_batches(spec.inputs, plan.first_batch,
              [&](std::size_t, std::size_t count) { bytes += plan.first.garbled_bytes(count); });
  if (spec.joined()) {
    for_batches(spec.outputs, plan.window_batch,
                [&](std::size_t, std::size_t count) { bytes += plan.window_bytes(spec, count); });
  }
  return bytes;
}

std::uint64_t choice_bytes(const ActivationSpec& spec) {
  return packed_bytes(spec.inputs, spec.share_bits());
}

std::uint64_t label_bytes(const ActivationSpec& spec) {
  return spec.inputs * static_cast<std::uint64_t>(spec.share_bits()) * 16;
}

}  // namespace ap::activation

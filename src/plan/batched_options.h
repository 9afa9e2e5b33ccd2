// From the plan's choice for a layer packed by slots to what linear/batched_layer.h takes.
#pragma once

#include "linear/batched_layer.h"
#include "plan/plan.h"

namespace ap::plan {

/// reply_level must be positive.
inline linear::BatchedOptions batched_options(const BatchedChoice& choice) {
  return {choice.conv, choice.fc, choice.flood_bits, static_cast<std::size_t>(choice.reply_level)};
}

}  // namespace ap::plan

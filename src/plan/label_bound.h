// For which plans the bound of docs/deviating-parties.md holds: whatever a client does, an inference tells it
// at most the bits of one class about the weights.
#pragma once

#include "plan/plan.h"

namespace ap::plan {

/// True if the plan reveals the label alone, packs no layer for SIMD (there replies are hidden only from a
/// client whose noise is honest) and shares no tensor modulo a prime (which the proof leaves out). The rest
/// of the theorem's conditions are met by every server, but for the statistics of an inference's cost: they
/// must be off.
/// @param plan  valid (plan::validate)
bool has_label_bound(const Plan& plan);

}  // namespace ap::plan

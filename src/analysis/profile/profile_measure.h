// Measures the unit costs of this machine by running the real kernels on small inputs, about two seconds in
// all.
#pragma once

#include "analysis/cost/profile.h"

namespace ap::cost {

/// Runs alone best: other load on the machine makes the figures larger. `progress` draws a bar.
/// @throws Error(peer) if the loopback interface cannot be used.
Profile measure_profile(bool progress = false);

}  // namespace ap::cost

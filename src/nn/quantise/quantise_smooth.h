// Tables of curved activations: which arguments they read, and what they say.
#pragma once

#include <string>

#include "nn/ir/quantised_network.h"
#include "nn/ir/smooth.h"

namespace ap::nn {

struct SmoothRange {
  double low = 0, high = 0;
};

/// The values of a bounded function, or what its values come near. Only for functions without a slope.
SmoothRange smooth_bounds(const SmoothOp& op);

/// Where, of the arguments in [seen.low, seen.high], the function still changes by half of `step`: beyond, its value is
/// that at the end, or its straight line's.
SmoothRange smooth_reach(const SmoothOp& op, SmoothRange seen, double step);

/// The table of the function for arguments low + u, u < 2^bits, in steps of `argument` after a shift, and values in
/// steps of `step`: of all tables whose value is within one of the function's, rounded, everywhere, that with the
/// fewest bytes on the wire. With a slope, `step` is `argument` times the slope and low is -2^(bits-1).
/// Where 2^8 cells cannot do that (beyond 8 activation bits, or for narrow ranges) within 2, 4 or 8 of it.
/// @throws Error(input) naming `node` if no table is that exact.
QTable make_table(const SmoothOp& op, int shift, std::int64_t low, int bits, double argument, double step,
                  const std::string& node);

}  // namespace ap::nn

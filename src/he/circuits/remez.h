// Minimax polynomials on unions of intervals, by Remez' exchange with several intervals (Lee, Lee, Lee, Kim and No,
// 2020/552). In long double.
#pragma once

#include <span>

#include "he/circuits/chebyshev_series.h"

namespace ap::circuits {

struct Interval {
  double low = 0, high = 0;
};

struct Minimax {
  ChebyshevSeries polynomial;  ///< on the hull of the intervals, mirrored too for odd and even ones
  double error = 0;            ///< the largest on the intervals, but for rounding to doubles
  int exchanges = 0;
};

/// The polynomial of that degree and parity with the least largest error to f on the intervals, which are ascending and
/// disjoint. Odd (even) ones: f is odd (even), and intervals lie in [0, infinity) and count for their mirror images; an
/// interval from 0 makes sense for even ones only.
/// @throws Error(input) for other intervals, for degrees above 255 or of the wrong parity, and if the exchange does not
/// settle, as where the error is no larger than rounding.
Minimax minimax(const Function& f, std::span<const Interval> intervals, int degree,
                Parity parity = Parity::general);

}  // namespace ap::circuits

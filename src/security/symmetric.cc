#include "security/symmetric.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::security {
namespace {

constexpr double kBlockBits = 128;

/// log2 of the chance that m + 1 of `keys` uniform keys are equal: (keys choose m + 1) 2^-(128 m) at most.
double coincidence_log2(double keys, int m) {
  return (m + 1) * std::log2(keys) - std::lgamma(m + 2) / std::log(2.0) - kBlockBits * m;
}

}  // namespace

double garbling_bits(double hashes_per_key, double keys) {
  AP_ASSERT(hashes_per_key >= 1 && keys >= 1);
  double best = 0;
  for (int m = 1; m <= 8; ++m) {
    // As advantages for one unit of work; whoever sees all keys in use has worked at least once for each.
    const double hashes = std::log2(4 * hashes_per_key * m) - kBlockBits;
    const double coincidence = keys > m ? std::exp2(coincidence_log2(keys, m) - std::log2(keys)) : 0;
    best = std::max(best, -std::log2(std::exp2(hashes) + coincidence));
  }
  return best;
}

double garbling_bits() { return garbling_bits(kMaxHashesPerKey, kGarbledGates); }

}  // namespace ap::security

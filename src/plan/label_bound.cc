#include "plan/label_bound.h"

#include <algorithm>

namespace ap::plan {

bool has_label_bound(const Plan& plan) {
  const bool by_slots = !plan.batch_groups.empty() ||
                        std::any_of(plan.linears.begin(), plan.linears.end(),
                                    [](const LinearChoice& choice) { return choice.simd() != nullptr; });
  const bool prime =
      std::any_of(plan.primes.begin(), plan.primes.end(), [](std::uint64_t p) { return p != 0; });
  return plan.reveal == Reveal::label && !by_slots && !prime;
}

}  // namespace ap::plan

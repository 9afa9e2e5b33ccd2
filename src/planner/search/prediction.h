// What one layer is predicted to take, to compare its points by: processor seconds of both parties by a profile
// (analysis/cost), one thread, plus the bytes on a link of the given bandwidth. Environment::price_by corrects the sum
// to what whole plans are predicted to take.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/cost/profile.h"
#include "layers/activation/activation_spec.h"
#include "plan/plan.h"

namespace ap::search {

struct Price {
  double seconds = 0;  ///< with the link
  std::uint64_t bytes = 0;
  Price& operator+=(const Price& other) {
    seconds += other.seconds;
    bytes += other.bytes;
    return *this;
  }
};

Price linear_price(const plan::LinearChoice& choice, double bytes_per_second);

/// With this protocol ("one-trip": `ot` where that cannot run it), or whichever is fastest on this link ("auto").
Price activation_price(activation::ActivationSpec spec, const std::string& protocol, double bytes_per_second,
                       const cost::Profile& profile);

}  // namespace ap::search

// The predicted latency of layers and plans, in one place: processor seconds of both parties by a
// profile (module cost), one thread, plus the bytes on a link of the given bandwidth.
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

/// With protocol "gc" or "ot", or whichever of them is faster on this link ("auto").
Price activation_price(activation::ActivationSpec spec, const std::string& protocol, double bytes_per_second,
                       const cost::Profile& profile);

/// The price of one inference of a plan, preprocessing included.
Price plan_price(const nn::QuantisedNetwork& network, const plan::Plan& plan, double bytes_per_second,
                 const cost::Profile& profile);

}  // namespace ap::search

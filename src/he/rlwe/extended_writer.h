// For the files that make he/rlwe/extended.h's values, and for no others.
#pragma once

#include "he/rlwe/extended.h"

namespace ap::rlwe {

struct ExtendedWriter {
  static std::span<std::uint64_t> part(Extended& x, std::size_t k, std::size_t i) {
    return std::span(x.values_).subspan((k * x.primes() + i) * x.context_->n(), x.context_->n());
  }
};

}  // namespace ap::rlwe

// For the files that make he/rlwe/extended.h's values, and for no others.
#pragma once

#include <utility>

#include "he/rlwe/extended.h"

namespace ap::rlwe {

struct ExtendedWriter {
  static std::span<std::uint64_t> part(Extended& x, std::size_t k, std::size_t i) {
    return x.values_.words((k * x.primes() + i) * x.context_->n(), x.context_->n());
  }
  /// Whose every part must be written.
  static Extended unwritten(ContextPtr context, std::size_t level) {
    return {std::move(context), level, Extended::Unwritten()};
  }
};

}  // namespace ap::rlwe

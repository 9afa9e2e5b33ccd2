// Messages of batching under their scale, modulo one prime after another.
#pragma once

#include <span>

#include "he/bfv/batch_tables.h"

namespace ap::bfv {

/// r = (q m + half) mod p for each coefficient m < p; then round(q m / p) = offset - r / p modulo each prime.
void scale_up_remainder(const BatchContext& context, const PlainLevel& level,
                        std::span<const std::uint64_t> coefficients, std::span<std::uint64_t> remainder);
/// values += round(q m / p) modulo prime i, from the remainder; values below the prime.
void add_scaled(const BatchContext& context, const PlainLevel& level, std::size_t prime,
                std::span<const std::uint64_t> remainder, std::span<std::uint64_t> values);

}  // namespace ap::bfv

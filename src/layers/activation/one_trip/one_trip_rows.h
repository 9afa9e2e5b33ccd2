// Places in the messages of a one-trip step: which early bit is which, and packed words one array after another.
#pragma once

#include <cstdint>
#include <span>

#include "base/bits.h"
#include "layers/activation/one_trip/one_trip_plan.h"
#include "layers/activation/ot/ot_products.h"

namespace ap::activation {

/// Numbers of early bits: by digit and position, then [in range], then [above], by position.
inline std::size_t carry_bit(std::size_t digit, std::size_t position) {
  return digit == 0 ? 0 : 2 * digit - 1 + position;
}
inline std::size_t range_bit(const OneTripStep& step, std::size_t position) {
  return 2 * step.digits.size() - 1 + position;
}
inline std::size_t above_bit(const OneTripStep& step, std::size_t position) {
  return range_bit(step, 2 + position);
}

/// Words of a string of an early bit.
inline int string_words(const OneTripStep& step, std::size_t bit) {
  const std::size_t digit = bit == 0 ? 0 : (bit + 1) / 2;
  return digit < step.digits.size() && step.wide(digit) ? 2 : 1;
}

/// The digits that have rotated tables, body(number, width, tables, first early bit): all, and the high part if it is
/// wider than a bit.
template <typename Body>
void for_rotated(const OneTripStep& step, const Body& body) {
  const std::size_t digits = step.digits.size();
  for (std::size_t i = 0; i < digits; ++i)
    body(i, step.digits[i], OneTripStep::carry_tables(i), carry_bit(i, 0));
  if (step.clamped()) body(digits, step.high_bits, step.high_tables(), range_bit(step, 0));
}

/// Of all bits set iff `bit`.
inline std::uint64_t all_if(std::uint64_t bit) { return 0 - bit; }
inline std::uint64_t select(std::uint64_t bit, std::uint64_t zero, std::uint64_t one) {
  return zero ^ ((zero ^ one) & all_if(bit));
}

/// Two words of `ring` bits in one, added and subtracted each for itself.
struct WordPair {
  std::uint64_t first, second;
};
inline WordPair unpack_pair(std::uint64_t packed, int ring) {
  return {packed & low_mask(ring), (packed >> ring) & low_mask(ring)};
}
inline std::uint64_t pack_pair(WordPair pair, int ring) {
  return (pair.first & low_mask(ring)) | (pair.second & low_mask(ring)) << ring;
}

/// Bytes of the client's online message.
std::size_t rows_bytes(const OneTripStep& step);

}  // namespace ap::activation

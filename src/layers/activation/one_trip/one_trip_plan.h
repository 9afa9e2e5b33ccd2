// How the `one-trip` protocol cuts an activation layer into steps, and what they cost; both parties derive it from
// the spec. layers/activation/one_trip/one_trip_step.h describes a step.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "layers/activation/activation_spec.h"
#include "layers/activation/ot/ot_plan.h"

namespace ap::activation {

/// Of the server's word a and the client's b, both of word_bits() bits, that are (from the lowest bit) the guard, the
/// low and the high part: with s = (a + b) mod 2^word_bits as a signed number and t = floor(s / 2^guard)
///   result = addend + clamp(t, 0, 2^low - 1)     in Z_2^ring, the addend being the client's.
/// With one high bit t is below 2^low anyway. Without a high part
///   result = addend - 2^carry_shift [a + b >= 2^low].
struct OneTripStep {
  std::size_t count = 0;
  int guard_bits = 0;
  int low_bits = 0;
  int high_bits = 0;  ///< 0: the carry alone
  int ring = 0;
  int carry_shift = 0;      ///< of a step without a high part
  std::vector<int> digits;  ///< widths, from the lowest bit: those of the guard, then those of the low part
  std::size_t guard_digits = 0;

  int word_bits() const { return guard_bits + low_bits + high_bits; }
  bool has_word() const { return high_bits > 0; }
  bool clamped() const { return high_bits > 1; }
  /// The label after digit i: a pointer, and the pad of the row that it opens.
  int label_bits(std::size_t digit) const {
    return ring + (has_word() ? 2 : 0) + static_cast<int>(digits.size() - 1 - digit);
  }
  /// Its rows carry the guard's two words (or their pads) beside labels.
  bool wide(std::size_t digit) const { return digit < guard_digits; }
  /// Tables of digit i: by the position of the carry into it.
  static int carry_tables(std::size_t digit) { return digit == 0 ? 1 : 2; }
  /// Tables of the high part: in range, then above, by position. One high bit needs none: its sum is linear.
  int high_tables() const { return clamped() ? 4 : 0; }
  /// Early bits: one of the lowest digit, two of any other, two or four of the high part.
  std::size_t early_bits() const { return 2 * digits.size() - 1 + (clamped() ? 4U : has_word() ? 2U : 0U); }
};

/// One level of a tournament: new value i = max(left[i], right[i]).
struct OneTripLevel {
  OneTripStep step;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  ///< numbers of earlier values
};

struct OneTripPlan {
  OneTripStep clamp;                   ///< every input, clamped; of an argmax its carry
  std::vector<OneTripLevel> levels;    ///< values are numbered inputs first, then level by level
  std::vector<std::uint32_t> results;  ///< of a joined layer: the value of every output
  std::size_t repeated = 0;            ///< results that are the value of an earlier one
  std::size_t inputs = 0;
  int share_bits = 0;
  int out_bits = 0;
  int index_bits = 0;  ///< t of an argmax (else 0), as in OtPlan

  std::size_t outputs() const { return results.empty() ? inputs : results.size(); }
  template <typename Body>
  void for_steps(const Body& body) const {
    body(clamp);
    for (const OneTripLevel& level : levels) body(level.step);
  }
};

/// Digits and high parts have at most this many bits.
inline constexpr int kMaxOneTripDigit = 6;

/// Whether the protocol can run the layer: not quadratics, products, tables, primes, nor high parts or rings that are
/// too wide. The spec must be valid.
bool takes_one_trip(const ActivationSpec& spec);

/// @throws Error(input) on a bad spec, or one that takes_one_trip refuses.
OneTripPlan plan_one_trip_layer(const ActivationSpec& spec);

/// offline_bytes are those of the tables and the repeated results, client to server.
OtCost one_trip_cost(const OneTripPlan& plan);

}  // namespace ap::activation

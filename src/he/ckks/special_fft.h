// The discrete Fourier transform on the orbit of 5: from the coefficients of a polynomial in Y, Y^2n = -1, to its values
// at the n roots of unity xi^(5^j), xi = exp(i pi / 2n), one of each pair of conjugates (Cheon, Kim, Kim and Song,
// 2016/421; the butterflies are those of their HEAAN). In doubles, or in sums of two doubles where more than 45 bits
// count. Run time depends on n alone.
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include "he/ckks/double_double.h"

namespace ap::ckks {

/// exp(2 pi i k / m) for k = 0 .. m - 1, each right to 2^-100. m a power of two of at least 4.
struct UnitRoots {
  explicit UnitRoots(std::size_t m);
  std::vector<DoubleDouble> re, im;
};

template <typename Real>
class SpecialFft {
 public:
  /// For lengths n up to `max_slots`, a power of two, with roots = UnitRoots(4 max_slots).
  SpecialFft(std::size_t max_slots, const UnitRoots& roots);

  /// Slot j = sum_k (re_k + i im_k) xi^(5^j k), in place: n a power of two from 1 to max_slots. The real part holds
  /// coefficients 0 .. n - 1 of the polynomial, the imaginary part coefficients n .. 2n - 1 (xi^(5^j n) = i).
  void forward(std::span<Real> re, std::span<Real> im) const;
  void inverse(std::span<Real> re, std::span<Real> im) const;

 private:
  // For blocks of 2 half values the roots from `half` on: exp(2 pi i 5^j / (8 half)), j < half.
  std::vector<Real> re_, im_;
};

extern template class SpecialFft<double>;
extern template class SpecialFft<DoubleDouble>;

}  // namespace ap::ckks

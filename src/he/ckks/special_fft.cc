#include "he/ckks/special_fft.h"

#include <bit>
#include <utility>

#include "base/error.h"

namespace ap::ckks {
namespace {

using Complex = std::pair<DoubleDouble, DoubleDouble>;

Complex times(const Complex& x, const Complex& y) {
  return {x.first * y.first - x.second * y.second, x.first * y.second + x.second * y.first};
}

template <typename Real>
void reverse_order(std::span<Real> x) {
  const std::size_t n = x.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
}

}  // namespace

UnitRoots::UnitRoots(std::size_t m) : re(m), im(m) {
  AP_ASSERT(std::has_single_bit(m) && m >= 4);
  // exp(2 pi i / 2^k) from exp(2 pi i / 2^(k-1)) by halving the angle, from i on.
  std::vector<Complex> powers{{0.0, 1.0}};  // at the end exp(2 pi i 2^k / m), k = 0, 1, ...
  for (std::size_t order = 8; order <= m; order *= 2) {
    const DoubleDouble cosine = sqrt((powers[0].first + 1.0) * 0.5);
    powers.insert(powers.begin(), {cosine, powers[0].second / (cosine * 2.0)});
  }
  re[0] = 1.0;
  // Quarter turns are exact; the others are products of at most log2 m roots.
  for (std::size_t k = 1; k < m / 4; ++k) {
    const std::size_t bit = std::bit_floor(k);
    const Complex root =
        times({re[k - bit], im[k - bit]}, powers[static_cast<std::size_t>(std::countr_zero(bit))]);
    re[k] = root.first;
    im[k] = root.second;
  }
  for (std::size_t k = m / 4; k < m; ++k) {
    re[k] = -im[k - m / 4];
    im[k] = re[k - m / 4];
  }
}

template <typename Real>
SpecialFft<Real>::SpecialFft(std::size_t max_slots, const UnitRoots& roots) : re_(max_slots), im_(max_slots) {
  AP_ASSERT(std::has_single_bit(max_slots) && roots.re.size() == 4 * max_slots);
  for (std::size_t half = 1; half < max_slots; half *= 2) {
    const std::size_t order = 8 * half, stride = 4 * max_slots / order;
    std::size_t power = 1;
    for (std::size_t j = 0; j < half; ++j, power = power * 5 % order) {
      re_[half + j] = static_cast<Real>(roots.re[power * stride]);
      im_[half + j] = static_cast<Real>(roots.im[power * stride]);
    }
  }
}

template <typename Real>
void SpecialFft<Real>::forward(std::span<Real> re, std::span<Real> im) const {
  const std::size_t n = re.size();
  AP_ASSERT(std::has_single_bit(n) && n <= re_.size() && im.size() == n);
  reverse_order(re);
  reverse_order(im);
  for (std::size_t half = 1; half < n; half *= 2) {
    const Real *wr = re_.data() + half, *wi = im_.data() + half;
    for (std::size_t first = 0; first < n; first += 2 * half) {
      Real *xr = re.data() + first, *xi = im.data() + first, *yr = xr + half, *yi = xi + half;
      for (std::size_t j = 0; j < half; ++j) {
        const Real vr = yr[j] * wr[j] - yi[j] * wi[j], vi = yr[j] * wi[j] + yi[j] * wr[j];
        yr[j] = xr[j] - vr;
        yi[j] = xi[j] - vi;
        xr[j] = xr[j] + vr;
        xi[j] = xi[j] + vi;
      }
    }
  }
}

template <typename Real>
void SpecialFft<Real>::inverse(std::span<Real> re, std::span<Real> im) const {
  const std::size_t n = re.size();
  AP_ASSERT(std::has_single_bit(n) && n <= re_.size() && im.size() == n);
  for (std::size_t half = n / 2; half >= 1; half /= 2) {
    const Real *wr = re_.data() + half, *wi = im_.data() + half;
    for (std::size_t first = 0; first < n; first += 2 * half) {
      Real *xr = re.data() + first, *xi = im.data() + first, *yr = xr + half, *yi = xi + half;
      for (std::size_t j = 0; j < half; ++j) {
        const Real dr = xr[j] - yr[j], di = xi[j] - yi[j];
        xr[j] = xr[j] + yr[j];
        xi[j] = xi[j] + yi[j];
        yr[j] = dr * wr[j] + di * wi[j];
        yi[j] = di * wr[j] - dr * wi[j];
      }
    }
  }
  reverse_order(re);
  reverse_order(im);
  const Real scale(1.0 / static_cast<double>(n));
  for (std::size_t j = 0; j < n; ++j) {
    re[j] = re[j] * scale;
    im[j] = im[j] * scale;
  }
}

template class SpecialFft<double>;
template class SpecialFft<DoubleDouble>;

}  // namespace ap::ckks

#include "he/ckks/scale.h"

#include <fmt/core.h>

#include <bit>
#include <cmath>

#include "base/error.h"

namespace ap::ckks {
namespace {

constexpr std::int64_t kMaxExponent = 1000;

std::int64_t checked_sum(std::int64_t x, std::int64_t y, int sign) {
  std::int64_t result = 0;
  const bool beyond =
      sign > 0 ? __builtin_add_overflow(x, y, &result) : __builtin_sub_overflow(x, y, &result);
  if (beyond) {
    fail_input(
        "the scale of a ciphertext has been squared too often to be kept exactly: multiply by a plaintext at "
        "a scale that brings it back to a power of two");
  }
  return result;
}

}  // namespace

Scale Scale::power_of_two(int exponent) {
  Scale scale;
  if (exponent != 0) scale.factors_.emplace_back(2, exponent);
  scale.exponent_ = exponent;
  return scale;
}

Scale Scale::integer(std::uint64_t x) {
  AP_ASSERT(x > 0);
  const int twos = std::countr_zero(x);
  Scale scale = power_of_two(twos);
  const std::uint64_t odd = x >> twos;
  if (odd == 1) return scale;
  scale.factors_.emplace_back(odd, 1);
  const auto high = static_cast<double>(odd >> 32), low = static_cast<double>(odd & 0xffffffff);
  scale.mantissa_ = DoubleDouble::sum(high * 4294967296.0, low);
  scale.normalise();
  return scale;
}

void Scale::normalise() {
  int shift = 0;
  std::frexp(mantissa_.high, &shift);
  --shift;
  mantissa_ = scaled(mantissa_, -shift);
  exponent_ += shift;
}

Scale Scale::combine(const Scale& x, const Scale& y, int sign) {
  Scale result;
  auto i = x.factors_.begin(), j = y.factors_.begin();
  while (i != x.factors_.end() || j != y.factors_.end()) {
    const bool left = j == y.factors_.end() || (i != x.factors_.end() && i->first <= j->first);
    const bool right = i == x.factors_.end() || (j != y.factors_.end() && j->first <= i->first);
    const std::uint64_t base = left ? i->first : j->first;
    const std::int64_t exponent = checked_sum(left ? i->second : 0, right ? j->second : 0, sign);
    if (exponent != 0) result.factors_.emplace_back(base, exponent);
    if (left) ++i;
    if (right) ++j;
  }
  result.mantissa_ = sign > 0 ? x.mantissa_ * y.mantissa_ : x.mantissa_ / y.mantissa_;
  result.exponent_ = checked_sum(x.exponent_, y.exponent_, sign);
  result.normalise();
  return result;
}

DoubleDouble Scale::value() const {
  if (exponent_ > kMaxExponent || exponent_ < -kMaxExponent) {
    fail_input("a scale of {} is beyond 2^{}: rescale before encoding or decoding at it", text(),
               kMaxExponent);
  }
  return scaled(mantissa_, static_cast<int>(exponent_));
}

double Scale::log2() const { return static_cast<double>(exponent_) + std::log2(mantissa_.high); }

std::string Scale::text() const { return fmt::format("2^{:.6g}", log2()); }

}  // namespace ap::ckks

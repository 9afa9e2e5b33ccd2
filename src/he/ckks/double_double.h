// Numbers of about 106 bits as unevaluated sums of two doubles (Dekker 1971; Hida, Li and Bailey 2001), for what plain
// doubles are too coarse for: encodings of more than 45 bits, roots of unity, scales. No branch depends on a value.
#pragma once

#include <cmath>

namespace ap::ckks {

struct DoubleDouble {
  double high = 0, low = 0;

  DoubleDouble() = default;
  // Implicit: every double is one.
  DoubleDouble(double x) : high(x) {}  // NOLINT(google-explicit-constructor)
  DoubleDouble(double h, double l) : high(h), low(l) {}

  /// Of any two doubles, exactly.
  static DoubleDouble sum(double x, double y) {
    const double s = x + y, back = s - x;
    return {s, (x - (s - back)) + (y - back)};
  }
  static DoubleDouble product(double x, double y) {
    const double p = x * y;
#ifdef __FP_FAST_FMA
    return {p, std::fma(x, y, -p)};
#else
    // Halves of 26 bits, whose products are exact.
    constexpr double kSplit = 134217729;  // 2^27 + 1
    const double tx = kSplit * x, xh = tx - (tx - x), xl = x - xh;
    const double ty = kSplit * y, yh = ty - (ty - y), yl = y - yh;
    return {p, ((xh * yh - p) + xh * yl + xl * yh) + xl * yl};
#endif
  }
  /// Of |x| >= |y|.
  static DoubleDouble ordered_sum(double x, double y) {
    const double s = x + y;
    return {s, y - (s - x)};
  }

  friend DoubleDouble operator+(const DoubleDouble& x, const DoubleDouble& y) {
    const DoubleDouble h = sum(x.high, y.high), l = sum(x.low, y.low);
    const DoubleDouble t = ordered_sum(h.high, h.low + l.high);
    return ordered_sum(t.high, t.low + l.low);
  }
  friend DoubleDouble operator-(const DoubleDouble& x) { return {-x.high, -x.low}; }
  friend DoubleDouble operator-(const DoubleDouble& x, const DoubleDouble& y) { return x + -y; }
  friend DoubleDouble operator*(const DoubleDouble& x, const DoubleDouble& y) {
    const DoubleDouble p = product(x.high, y.high);
    return ordered_sum(p.high, p.low + (x.high * y.low + x.low * y.high));
  }
  friend DoubleDouble operator/(const DoubleDouble& x, const DoubleDouble& y) {
    const double first = x.high / y.high;
    const DoubleDouble left = x - y * first;
    const double second = left.high / y.high;
    const DoubleDouble rest = left - y * second;
    return ordered_sum(first, second) + rest.high / y.high;
  }
  friend DoubleDouble sqrt(const DoubleDouble& x) {
    const double root = std::sqrt(x.high);
    const DoubleDouble once = DoubleDouble(root) + (x - product(root, root)).high / (2 * root);
    return once + (x - once * once).high / (2 * root);
  }
  explicit operator double() const { return high + low; }
};

/// Times a power of two.
inline DoubleDouble scaled(const DoubleDouble& x, int exponent) {
  return {std::ldexp(x.high, exponent), std::ldexp(x.low, exponent)};
}

}  // namespace ap::ckks

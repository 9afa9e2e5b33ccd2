// Polynomials in Chebyshev's basis, p(x) = sum_j c_j T_j(t) with t = (2 x - a - b) / (b - a) in [-1, 1]: |T_j| <= 1 there,
// so that coefficients are as small as the function and partial sums stay in range. In doubles; what depends on these
// numbers is public.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace ap::circuits {

/// Long double so that who knows a function that well is not cut short; one of doubles will do.
using Function = std::function<long double(long double)>;

/// Which coefficients may differ from zero.
enum class Parity { general, odd, even };

struct ChebyshevSeries {
  double low = -1, high = 1;         ///< [a, b]
  std::vector<double> coefficients;  ///< c_0 .. c_d; none: zero

  /// Index of the last coefficient that is not zero; 0 for constants.
  int degree() const;
  /// Odd or even if all coefficients of the other kind are exactly zero (a constant is even).
  Parity parity() const;
  /// p(x) for any x, by Clenshaw's recurrence.
  double operator()(double x) const;
};

/// The polynomial of that degree through f at the degree + 1 zeros of T_(degree + 1) on [low, high] (Chebyshev nodes).
/// @throws Error(input) unless low < high, 0 <= degree <= 4095 and f is finite at the nodes.
ChebyshevSeries interpolate(const Function& f, double low, double high, int degree);
/// As `interpolate`, of a function whose coefficients of the other parity are zero but for rounding: they are exactly
/// zero in the result. low = -high unless the parity is general. Odd functions take odd degrees, even ones even degrees.
ChebyshevSeries interpolate(const Function& f, double low, double high, int degree, Parity parity);

/// The polynomial of degree nodes.size() - 1 on [low, high] through (nodes[i], values[i]). Values count with the nodes'
/// Lebesgue constant, small if they are spread as Chebyshev's. @throws Error(input) for equal nodes.
ChebyshevSeries interpolate(std::span<const long double> nodes, std::span<const long double> values,
                            double low, double high);

/// The largest |p(x) - f(x)| on `points` + 1 equidistant points of [p.low, p.high], ends among them.
double largest_error(const ChebyshevSeries& p, const Function& f, int points = 10000);

/// Without the last coefficients whose absolute values sum up to at most `error`: what truncation adds to the error on
/// the interval at most.
ChebyshevSeries truncated(ChebyshevSeries p, double error);

/// p = quotient T_g + remainder, the remainder of degree below g: from T_j = 2 T_(j-g) T_g - T_|j-2g|. Coefficients of
/// both in Chebyshev's basis; g >= 1. The quotient's are at most twice p's sum of absolute values.
struct ChebyshevQuotient {
  std::vector<double> quotient, remainder;
};
ChebyshevQuotient divide(std::span<const double> coefficients, int g);

/// From the basis 1, t, t^2, ... of the same variable t in [-1, 1].
std::vector<double> chebyshev_from_monomial(std::span<const double> coefficients);

}  // namespace ap::circuits

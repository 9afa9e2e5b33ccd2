#include "he/circuits/chebyshev_series.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

constexpr int kMaxDegree = 4095;

void check_interval(double low, double high) {
  if (!(low < high) || !std::isfinite(high - low)) {
    fail_input("a polynomial on [{}, {}]: the first end of an interval must be below the second", low, high);
  }
}

// cos(pi (k + 1/2) / count).
Real chebyshev_node(int k, int count) {
  return std::cos(std::numbers::pi_v<Real> * (2 * k + 1) / (2 * count));
}

// The series whose values at chebyshev_node(0 .. count - 1, count) are these: a discrete cosine transform.
std::vector<double> coefficients_of(std::span<const Real> values) {
  const int count = static_cast<int>(values.size());
  // cos(pi m / (2 count)) for all m that occur, modulo the period 4 count.
  std::vector<Real> cosines(static_cast<std::size_t>(4 * count));
  for (int m = 0; m < 4 * count; ++m) {
    cosines[static_cast<std::size_t>(m)] = std::cos(std::numbers::pi_v<Real> * m / (2 * count));
  }
  std::vector<double> coefficients(values.size());
  for (int j = 0; j < count; ++j) {
    Real sum = 0;
    for (int k = 0; k < count; ++k) {
      const auto angle = static_cast<std::size_t>(static_cast<long long>(j) * (2 * k + 1) % (4 * count));
      sum += values[static_cast<std::size_t>(k)] * cosines[angle];
    }
    coefficients[static_cast<std::size_t>(j)] = static_cast<double>(sum * (j == 0 ? 1 : 2) / count);
  }
  return coefficients;
}

}  // namespace

int ChebyshevSeries::degree() const {
  for (std::size_t j = coefficients.size(); j > 1; --j) {
    if (coefficients[j - 1] != 0) return static_cast<int>(j - 1);
  }
  return 0;
}

Parity ChebyshevSeries::parity() const {
  bool other[2] = {false, false};
  for (std::size_t j = 0; j < coefficients.size(); ++j) other[j % 2] |= coefficients[j] != 0;
  if (!other[1]) return Parity::even;
  return other[0] ? Parity::general : Parity::odd;
}

double ChebyshevSeries::operator()(double x) const {
  // Differences first: exact where x is near an end.
  const double t = ((x - low) - (high - x)) / (high - low);
  double next = 0, after = 0;
  for (std::size_t j = coefficients.size(); j > 1; --j) {
    const double current = coefficients[j - 1] + 2 * t * next - after;
    after = next;
    next = current;
  }
  return coefficients.empty() ? 0 : coefficients[0] + t * next - after;
}

ChebyshevSeries interpolate(const Function& f, double low, double high, int degree) {
  check_interval(low, high);
  if (degree < 0 || degree > kMaxDegree) {
    fail_input("no polynomial of degree {}: degrees are 0 to {}", degree, kMaxDegree);
  }
  const Real middle = (Real(low) + high) / 2, half = (Real(high) - low) / 2;
  std::vector<Real> values;
  for (int k = 0; k <= degree; ++k) {
    const Real x = middle + half * chebyshev_node(k, degree + 1);
    values.push_back(f(x));
    if (!std::isfinite(values.back())) {
      fail_input("the function to interpolate on [{}, {}] is not finite at {}", low, high,
                 static_cast<double>(x));
    }
  }
  return {low, high, coefficients_of(values)};
}

ChebyshevSeries interpolate(const Function& f, double low, double high, int degree, Parity parity) {
  if (parity != Parity::general && (low != -high || (degree % 2 == 1) != (parity == Parity::odd))) {
    fail_input("an {} polynomial of degree {} on [{}, {}]: the interval must be symmetric and the degree {}",
               parity == Parity::odd ? "odd" : "even", degree, low, high,
               parity == Parity::odd ? "odd" : "even");
  }
  ChebyshevSeries p = interpolate(f, low, high, degree);
  if (parity != Parity::general) {
    for (std::size_t j = parity == Parity::odd ? 0 : 1; j < p.coefficients.size(); j += 2)
      p.coefficients[j] = 0;
  }
  return p;
}

// By the barycentric formula at Chebyshev's nodes (Berrut and Trefethen, SIAM Review 46, 2004, equation 4.2). Weights are
// scaled by the interval's capacity, half / 2, so that their products stay in range.
ChebyshevSeries interpolate(std::span<const Real> nodes, std::span<const Real> values, double low,
                            double high) {
  check_interval(low, high);
  AP_ASSERT(!nodes.empty() && nodes.size() == values.size() && nodes.size() <= kMaxDegree + 1);
  const Real middle = (Real(low) + high) / 2, half = (Real(high) - low) / 2;
  std::vector<Real> weights(nodes.size(), 1);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (k == i) continue;
      if (nodes[i] == nodes[k]) {
        fail_input("two nodes of an interpolation are equal, {}: they must be distinct",
                   static_cast<double>(nodes[i]));
      }
      weights[i] *= half / (2 * (nodes[i] - nodes[k]));
    }
  }
  const int count = static_cast<int>(nodes.size());
  std::vector<Real> resampled;
  for (int k = 0; k < count; ++k) {
    const Real x = middle + half * chebyshev_node(k, count);
    Real above = 0, below = 0, at_node = 0;
    bool hit = false;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (x == nodes[i]) {
        hit = true;
        at_node = values[i];
        break;
      }
      const Real term = weights[i] / (x - nodes[i]);
      above += term * values[i];
      below += term;
    }
    resampled.push_back(hit ? at_node : above / below);
  }
  return {low, high, coefficients_of(resampled)};
}

double largest_error(const ChebyshevSeries& p, const Function& f, int points) {
  AP_ASSERT(points >= 1);
  double most = 0;
  for (int i = 0; i <= points; ++i) {
    const double x = i == points ? p.high : p.low + (p.high - p.low) * i / points;
    most = std::max(most, std::abs(static_cast<double>(p(x) - f(x))));
  }
  return most;
}

ChebyshevSeries truncated(ChebyshevSeries p, double error) {
  double dropped = 0;
  while (p.coefficients.size() > 1) {
    dropped += std::abs(p.coefficients.back());
    if (dropped > error) break;
    p.coefficients.pop_back();
  }
  return p;
}

ChebyshevQuotient divide(std::span<const double> coefficients, int g) {
  AP_ASSERT(g >= 1);
  const auto size = static_cast<std::size_t>(g);
  std::vector<double> left(coefficients.begin(), coefficients.end());
  std::vector<double> quotient(left.size() > size ? left.size() - size : 0);
  for (std::size_t j = left.size(); j-- > size;) {
    quotient[j - size] += j == size ? left[j] : 2 * left[j];
    if (j > size) left[j > 2 * size ? j - 2 * size : 2 * size - j] -= left[j];
  }
  left.resize(std::min(left.size(), size));
  return {std::move(quotient), std::move(left)};
}

std::vector<double> chebyshev_from_monomial(std::span<const double> coefficients) {
  std::vector<Real> p(coefficients.size() + 1);
  for (std::size_t k = coefficients.size(); k-- > 0;) {
    // Times t: t T_0 = T_1, t T_j = (T_(j+1) + T_(j-1)) / 2.
    std::vector<Real> next(p.size());
    for (std::size_t j = 0; j + 1 < p.size(); ++j) {
      if (j == 0) {
        next[1] += p[0];
      } else {
        next[j + 1] += p[j] / 2;
        next[j - 1] += p[j] / 2;
      }
    }
    next[0] += coefficients[k];
    p = std::move(next);
  }
  return {p.begin(), p.begin() + static_cast<std::ptrdiff_t>(coefficients.size())};
}

}  // namespace ap::circuits

#include "he/circuits/scaled_cosine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;
constexpr Real kPi = std::numbers::pi_v<Real>;

void check(int bound, int degree, int doublings) {
  if (bound < 1 || bound > 4096 || degree < 1 || degree > 1023 || doublings < 0 || doublings > 12) {
    fail_input(
        "no cosine of degree {} on [-{}, {}] with {} doublings: degrees are 1 to 1023, bounds 1 to 4096, doublings 0 to 12",
        degree, bound, bound, doublings);
  }
}

Function cosine_of(int doublings) {
  return [doublings](Real x) { return std::cos(std::ldexp(2 * kPi * (x - Real(0.25)), -doublings)); };
}

// Some points of [i - deviation, i + deviation], both ends among them.
constexpr int kSamples = 9;
Real sample(int i, Real deviation, int s) { return i + deviation * std::cos(kPi * s / (kSamples - 1)); }

std::vector<Real> nodes_of(int i, Real deviation, int count) {
  std::vector<Real> nodes;
  for (int k = 0; k < count; ++k) nodes.push_back(i + deviation * std::cos(kPi * (2 * k + 1) / (2 * count)));
  return nodes;
}

// One more node always goes where the product of the distances to all nodes is largest: the error of interpolation is a
// derivative times that product.
std::vector<Real> nodes_near_integers(int bound, int degree, Real deviation) {
  const int intervals = 2 * bound - 1;
  std::vector<std::vector<Real>> nodes;
  for (int k = 0; k < intervals; ++k) nodes.push_back(nodes_of(k - bound + 1, deviation, 1));
  // log2 of the product at every sample.
  std::vector<std::vector<Real>> logs(static_cast<std::size_t>(intervals), std::vector<Real>(kSamples, 0));
  const auto count_in = [&](const std::vector<Real>& group, int sign) {
    for (int k = 0; k < intervals; ++k) {
      for (int s = 0; s < kSamples; ++s) {
        Real& log = logs[static_cast<std::size_t>(k)][static_cast<std::size_t>(s)];
        for (const Real node : group) {
          const Real distance = std::abs(sample(k - bound + 1, deviation, s) - node);
          log += sign * std::log2(std::max(distance, deviation * Real(0x1p-30)));
        }
      }
    }
  };
  for (const auto& group : nodes) count_in(group, 1);
  for (int left = degree + 1 - intervals; left > 0; --left) {
    const auto worst = std::max_element(logs.begin(), logs.end(), [](const auto& x, const auto& y) {
      return *std::max_element(x.begin(), x.end()) < *std::max_element(y.begin(), y.end());
    });
    const auto k = static_cast<std::size_t>(worst - logs.begin());
    count_in(nodes[k], -1);
    nodes[k] = nodes_of(static_cast<int>(k) - bound + 1, deviation, static_cast<int>(nodes[k].size()) + 1);
    count_in(nodes[k], 1);
  }
  std::vector<Real> all;
  for (const auto& group : nodes) all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace

int ScaledCosine::depth() const { return polynomial_depth(series.degree()) + doublings; }

double ScaledCosine::operator()(double x) const {
  double y = series(x);
  for (int i = 0; i < doublings; ++i) y = 2 * y * y - 1;
  return y;
}

ScaledCosine scaled_cosine(int bound, int degree, int doublings) {
  check(bound, degree, doublings);
  const Function f = cosine_of(doublings);
  if (degree % 2 == 1) return {bound, doublings, interpolate(f, -bound, bound, degree)};
  ChebyshevSeries series = interpolate(f, -bound, bound + 0.5, degree);
  for (std::size_t j = 1; j < series.coefficients.size(); j += 2) series.coefficients[j] = 0;
  return {bound, doublings, std::move(series)};
}

ScaledCosine scaled_cosine_near_integers(int bound, int degree, int doublings, double deviation) {
  check(bound, degree, doublings);
  if (!(deviation > 0 && deviation < 0.5) || degree < 2 * bound - 2) {
    fail_input(
        "no cosine of degree {} within {} of the integers below {}: deviations are below 1/2, degrees at least {}",
        degree, deviation, bound, 2 * bound - 2);
  }
  const std::vector<Real> nodes = nodes_near_integers(bound, degree, deviation);
  std::vector<Real> values;
  const Function f = cosine_of(doublings);
  for (const Real node : nodes) values.push_back(f(node));
  return {bound, doublings, interpolate(nodes, values, -bound, bound)};
}

double sine_error(const ScaledCosine& cosine, double deviation) {
  constexpr int kPoints = 128;
  double most = 0;
  for (int i = 1 - cosine.bound; i < cosine.bound; ++i) {
    for (int s = -kPoints; s <= kPoints; ++s) {
      const double m = deviation * s / kPoints;
      // sin(2 pi m) is that of x = i + m to the last bit.
      most = std::max(most, std::abs(static_cast<double>(cosine(i + m) - std::sin(2 * kPi * m))));
    }
  }
  return most;
}

ChebyshevSeries arcsine(double bound, int degree) {
  if (!(bound > 0 && bound <= 1) || degree < 1 || degree % 2 == 0) {
    fail_input("no arcsine of degree {} on [-{}, {}]: degrees are odd, bounds above 0 and at most 1", degree,
               bound, bound);
  }
  return interpolate([](Real y) { return std::asin(y) / (2 * kPi); }, -bound, bound, degree, Parity::odd);
}

ckks::Ciphertext evaluate_sine(const ckks::Ciphertext& x, const ScaledCosine& cosine, double amplitude,
                               const Target& target, const rlwe::RelinearisationKey& key) {
  if (!(amplitude > 0)) fail_input("a sine of amplitude {}: it must be positive", amplitude);
  const rlwe::Context& context = *x.context();
  const std::size_t start = target.level + static_cast<std::size_t>(cosine.doublings);
  if (target.level < 1 || start >= x.level()) {
    fail_input("a sine takes {} levels: it leads from {} primes to no level {}", cosine.depth(), x.level(),
               target.level);
  }
  // Where the doublings end up if they begin at the prime that the first one drops. The ratio to the target is a factor
  // of the amplitude, and the ciphertext is given the target's name.
  const ckks::Scale begin = ckks::Scale::integer(context.modulus(start - 1).value());
  ckks::Scale end = begin;
  for (std::size_t level = start; level > target.level; --level) {
    end = ckks::product_scale(context, level, end, end);
  }
  double a = amplitude * static_cast<double>((target.scale / end).value());
  std::vector<double> amplitudes{a};
  for (int i = 0; i < cosine.doublings; ++i) amplitudes.push_back(a = std::sqrt(a));
  ChebyshevSeries series = cosine.series;
  for (double& c : series.coefficients) c *= a;
  ckks::Ciphertext y = evaluate(x, series, Target{start, begin}, key);
  for (int i = cosine.doublings; i > 0; --i) {
    y = double_angle(y, amplitudes[static_cast<std::size_t>(i)], key);
  }
  return {std::move(y.polynomials()), target.scale};
}

}  // namespace ap::circuits

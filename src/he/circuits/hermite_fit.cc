#include "he/circuits/hermite_fit.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

constexpr int kMaxDegree = 64;
// Gauss's rule of eight points on [-1, 1], the positive half.
constexpr Real kGaussPoints[] = {0.183434642495649804939476142360184L, 0.525532409916328985817739049189246L,
                                 0.796666477413626739591553936475831L, 0.960289856497536231683560868569473L};
constexpr Real kGaussWeights[] = {0.362683783378361982965150449277196L, 0.313706645877887287337962201986601L,
                                  0.222381034453374470544355994426241L, 0.101228536290376259152531354309962L};

// Adds the rule on [low, high] with weights times density(x).
template <typename Density>
void add_panel(Distribution& to, Real low, Real high, const Density& density) {
  const Real middle = (low + high) / 2, half = (high - low) / 2;
  for (std::size_t k = 0; k < 4; ++k) {
    for (const int sign : {-1, 1}) {
      const Real x = middle + sign * half * kGaussPoints[k];
      to.points.push_back(x);
      to.weights.push_back(half * kGaussWeights[k] * density(x));
    }
  }
}

// The same on the parts that the kinks cut [low, high] into.
template <typename Density>
void add_panels(Distribution& to, Real low, Real high, std::span<const double> kinks,
                const Density& density) {
  std::vector<Real> ends{low};
  for (const double kink : kinks) {
    if (kink > low && kink < high) ends.push_back(kink);
  }
  ends.push_back(high);
  std::sort(ends.begin(), ends.end());
  for (std::size_t k = 0; k + 1 < ends.size(); ++k) {
    if (ends[k] < ends[k + 1]) add_panel(to, ends[k], ends[k + 1], density);
  }
}

void normalise(Distribution& d) {
  Real sum = 0;
  for (const Real weight : d.weights) sum += weight;
  for (Real& weight : d.weights) weight /= sum;
}

void check_degree(int degree) {
  if (degree < 0 || degree > kMaxDegree)
    fail_input("no fit of degree {}: degrees are 0 to {}", degree, kMaxDegree);
}

// The orthogonal polynomials of a distribution, by their recurrence (Stieltjes; Forsythe, 1957): p_(k+1) = (x - a_k) p_k -
// b_k p_(k-1), in the variable that takes the points to [-2, 2], where they stay in range.
class Orthogonal {
 public:
  Orthogonal(const Function& f, const Distribution& d, int degree) {
    const auto [low, high] = std::minmax_element(d.points.begin(), d.points.end());
    middle_ = (*low + *high) / 2;
    quarter_ = (*high - *low) / 4;
    const std::size_t count = d.points.size();
    std::vector<Real> before(count, 0), current(count, 1), rest(count);
    for (std::size_t i = 0; i < count; ++i) rest[i] = f(d.points[i]);
    Real last_norm = 1;
    for (int k = 0; k <= degree; ++k) {
      Real norm = 0, moment = 0, product = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const Real square = d.weights[i] * current[i] * current[i];
        norm += square;
        moment += square * unit(d.points[i]);
        // Against what is left rather than f itself: rounding is corrected by later coefficients.
        product += d.weights[i] * current[i] * rest[i];
      }
      if (!(norm > 0)) fail_input("a fit of degree {}: the distribution has too few points", degree);
      a_.push_back(moment / norm);
      b_.push_back(k == 0 ? 0 : norm / last_norm);
      c_.push_back(product / norm);
      last_norm = norm;
      for (std::size_t i = 0; i < count; ++i) {
        rest[i] -= c_.back() * current[i];
        const Real next = (unit(d.points[i]) - a_.back()) * current[i] - b_.back() * before[i];
        before[i] = current[i];
        current[i] = next;
      }
    }
    for (std::size_t i = 0; i < count; ++i) squared_error_ += d.weights[i] * rest[i] * rest[i];
  }

  Real operator()(Real x) const {
    Real before = 0, current = 1, sum = 0;
    for (std::size_t k = 0; k < c_.size(); ++k) {
      sum += c_[k] * current;
      const Real next = (unit(x) - a_[k]) * current - b_[k] * before;
      before = current;
      current = next;
    }
    return sum;
  }
  double squared_error() const { return static_cast<double>(squared_error_); }

 private:
  Real unit(Real x) const { return (x - middle_) / quarter_; }

  Real middle_ = 0, quarter_ = 1, squared_error_ = 0;
  std::vector<Real> a_, b_, c_;
};

}  // namespace

Distribution normal_distribution(double mean, double deviation, std::span<const double> kinks) {
  if (!(deviation > 0) || !std::isfinite(deviation) || !std::isfinite(mean)) {
    fail_input("a normal distribution of mean {} and deviation {}: the deviation must be positive", mean,
               deviation);
  }
  constexpr int kPanels = 192;
  constexpr Real kCut = 12;
  Distribution d;
  for (int k = 0; k < kPanels; ++k) {
    const auto end = [&](int i) { return mean + deviation * kCut * (2 * Real(i) / kPanels - 1); };
    add_panels(d, end(k), end(k + 1), kinks, [&](Real x) {
      const Real u = (x - mean) / deviation;
      return std::exp(-u * u / 2);
    });
  }
  normalise(d);
  return d;
}

Distribution histogram_distribution(std::span<const double> edges, std::span<const double> counts,
                                    std::span<const double> kinks) {
  if (counts.empty() || edges.size() != counts.size() + 1) {
    fail_input("a histogram of {} edges and {} counts: there must be one more edge than counts", edges.size(),
               counts.size());
  }
  Distribution d;
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!(edges[i] < edges[i + 1]) || !(counts[i] >= 0) || !std::isfinite(edges[i + 1]) ||
        !std::isfinite(counts[i])) {
      fail_input("bin {} of a histogram, {} in [{}, {}]: edges must ascend and counts not be negative", i,
                 counts[i], edges[i], edges[i + 1]);
    }
    sum += counts[i];
    if (counts[i] == 0) continue;
    const Real density = counts[i] / (Real(edges[i + 1]) - edges[i]);
    add_panels(d, edges[i], edges[i + 1], kinks, [&](Real) { return density; });
  }
  if (!(sum > 0)) fail_input("a histogram without any count");
  normalise(d);
  return d;
}

Fit fit(const Function& f, const Distribution& distribution, int degree, double low, double high) {
  check_degree(degree);
  AP_ASSERT(!distribution.points.empty() && distribution.points.size() == distribution.weights.size());
  const Orthogonal p(f, distribution, degree);
  Fit result{interpolate([&](Real x) { return p(x); }, low, high, degree), p.squared_error(), 0};
  result.largest_error = largest_error(result.polynomial, f);
  return result;
}

std::vector<double> hermite_coefficients(const Function& f, double mean, double deviation, int degree,
                                         std::span<const double> kinks) {
  check_degree(degree);
  const Distribution d = normal_distribution(mean, deviation, kinks);
  std::vector<Real> sums(static_cast<std::size_t>(degree) + 1);
  for (std::size_t i = 0; i < d.points.size(); ++i) {
    const Real u = (d.points[i] - mean) / deviation, weighted = d.weights[i] * f(d.points[i]);
    // He_k / k!, whose recurrence is h_(k+1) = (u h_k - h_(k-1)) / (k + 1).
    Real before = 0, current = 1;
    for (std::size_t k = 0; k < sums.size(); ++k) {
      sums[k] += weighted * current;
      const Real next = (u * current - before) / static_cast<Real>(k + 1);
      before = current;
      current = next;
    }
  }
  return {sums.begin(), sums.end()};
}

}  // namespace ap::circuits

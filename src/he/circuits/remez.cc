#include "he/circuits/remez.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

constexpr int kMaxDegree = 255, kMaxExchanges = 60;
// Relative difference of the largest error and of the one that alternates at which the exchange has settled.
constexpr Real kSettled = 1e-9L;
// Or their difference relative to the function: less is lost when coefficients become doubles.
constexpr Real kRounding = 1e-15L;

struct Point {
  Real x = 0, error = 0;
};

class Exchange {
 public:
  Exchange(const Function& f, std::span<const Interval> intervals, int degree, Parity parity)
      : f_(f),
        intervals_(intervals),
        step_(parity == Parity::general ? 1 : 2),
        first_(parity == Parity::odd ? 1 : 0),
        low_(parity == Parity::general ? Real(intervals.front().low) : -Real(intervals.back().high)),
        high_(intervals.back().high),
        c_(static_cast<std::size_t>((degree - first_) / step_) + 1) {}

  Minimax run() {
    start();
    Minimax result;
    for (int i = 1; i <= kMaxExchanges; ++i) {
      const Real level = solve();
      std::vector<Point> found = extrema();
      Real most = 0;
      for (const Point& p : found) most = std::max(most, std::abs(p.error));
      if (most <= std::abs(level) * (1 + kSettled) || most <= std::abs(level) + kRounding * size_) {
        result.error = static_cast<double>(most);
        result.exchanges = i;
        result.polynomial = series();
        return result;
      }
      if (found.size() < reference_.size()) break;
      reduce(found);
      for (std::size_t k = 0; k < found.size(); ++k) reference_[k] = found[k].x;
    }
    fail_input(
        "the minimax polynomial with {} coefficients on [{}, {}] does not settle in {} exchanges: take a lower degree, "
        "its error is near rounding",
        c_.size(), intervals_.front().low, intervals_.back().high, kMaxExchanges);
  }

 private:
  Real to_unit(Real x) const { return (2 * x - low_ - high_) / (high_ - low_); }

  // Basis functions T_first, T_(first + step), ...
  void basis(Real x, std::vector<Real>& values) const {
    const Real t = to_unit(x);
    Real before = 1, current = t;
    values.clear();
    for (int j = 0; values.size() < c_.size(); ++j) {
      const Real value = j == 0 ? 1 : current;
      if (j > 0) {
        const Real next = 2 * t * current - before;
        before = current;
        current = next;
      }
      if (j >= first_ && (j - first_) % step_ == 0) values.push_back(value);
    }
  }

  Real error(Real x) const {
    static thread_local std::vector<Real> values;
    basis(x, values);
    Real sum = -f_(x);
    for (std::size_t j = 0; j < c_.size(); ++j) sum += c_[j] * values[j];
    return sum;
  }

  // Chebyshev's extrema of each interval, as many as its share in the square root of lengths.
  void start() {
    const std::size_t count = c_.size() + 1;
    std::vector<Real> shares;
    Real total = 0;
    for (const Interval& i : intervals_)
      shares.push_back(std::sqrt(Real(i.high) - i.low)), total += shares.back();
    std::size_t given = 0;
    Real cumulated = 0;
    for (std::size_t k = 0; k < intervals_.size(); ++k) {
      cumulated += shares[k];
      const std::size_t until =
          k + 1 == intervals_.size()
              ? count
              : std::min(count, static_cast<std::size_t>(std::llround(count * cumulated / total)));
      const std::size_t here = until - given;
      for (std::size_t j = 0; j < here; ++j) {
        const Real angle = here == 1 ? 0 : std::numbers::pi_v<Real> * Real(here - 1 - j) / Real(here - 1);
        reference_.push_back(at(intervals_[k], (1 + std::cos(angle)) / 2));
      }
      given = until;
    }
  }
  static Real at(const Interval& i, Real part) {
    return part >= 1 ? Real(i.high) : i.low + (Real(i.high) - i.low) * part;
  }

  // sum_j c_j B_j(x_k) + (-1)^k level = f(x_k), by elimination with pivots.
  Real solve() {
    const std::size_t n = c_.size() + 1;
    std::vector<std::vector<Real>> rows(n);
    for (std::size_t k = 0; k < n; ++k) {
      basis(reference_[k], rows[k]);
      rows[k].push_back(k % 2 == 0 ? 1 : -1);
      rows[k].push_back(f_(reference_[k]));
      size_ = std::max(size_, std::abs(rows[k].back()));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto pivot =
          std::max_element(rows.begin() + static_cast<std::ptrdiff_t>(i), rows.end(),
                           [i](const auto& x, const auto& y) { return std::abs(x[i]) < std::abs(y[i]); });
      std::swap(rows[i], *pivot);
      if (rows[i][i] == 0)
        fail_input("no minimax polynomial with {} coefficients: its nodes coincide", c_.size());
      for (std::size_t k = i + 1; k < n; ++k) {
        const Real factor = rows[k][i] / rows[i][i];
        for (std::size_t j = i; j <= n; ++j) rows[k][j] -= factor * rows[i][j];
      }
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t j = i + 1; j < n; ++j) rows[i][n] -= rows[i][j] * rows[j][n];
      rows[i][n] /= rows[i][i];
    }
    for (std::size_t j = 0; j + 1 < n; ++j) c_[j] = rows[j][n];
    return rows[n - 1][n];
  }

  // The largest error of each run of one sign, ascending. The reference is among the samples, so that there are no fewer
  // than it has.
  std::vector<Point> extrema() const {
    std::vector<Point> found;
    const int samples = 24 * static_cast<int>(c_.size()) + 24;
    for (const Interval& interval : intervals_) {
      std::vector<Point> line;
      for (int s = 0; s <= samples; ++s) {
        line.push_back({at(interval, (1 - std::cos(std::numbers::pi_v<Real> * s / samples)) / 2)});
      }
      for (const Real x : reference_) {
        if (x > interval.low && x < interval.high) line.push_back({x});
      }
      std::sort(line.begin(), line.end(), [](const Point& x, const Point& y) { return x.x < y.x; });
      for (Point& p : line) p.error = error(p.x);
      for (std::size_t s = 0; s < line.size();) {
        std::size_t best = s, end = s;
        for (; end < line.size() && (line[end].error > 0) == (line[s].error > 0); ++end) {
          if (std::abs(line[end].error) > std::abs(line[best].error)) best = end;
        }
        const bool inside = best > 0 && best + 1 < line.size();
        found.push_back(inside ? peak(line[best - 1].x, line[best + 1].x) : line[best]);
        s = end;
      }
    }
    return alternating(found);
  }

  // The largest |error| between two points that have one extremum between them, by golden section.
  Point peak(Real left, Real right) const {
    constexpr Real kGolden = 0.6180339887498948482L;
    Real a = right - kGolden * (right - left), b = left + kGolden * (right - left);
    Real at_a = std::abs(error(a)), at_b = std::abs(error(b));
    for (int i = 0; i < 36; ++i) {
      if (at_a > at_b) {
        right = b;
        b = a;
        at_b = at_a;
        a = right - kGolden * (right - left);
        at_a = std::abs(error(a));
      } else {
        left = a;
        a = b;
        at_a = at_b;
        b = left + kGolden * (right - left);
        at_b = std::abs(error(b));
      }
    }
    const Real x = (left + right) / 2;
    return {x, error(x)};
  }

  // Of neighbours of one sign, in different intervals, the largest.
  static std::vector<Point> alternating(const std::vector<Point>& points) {
    std::vector<Point> kept;
    for (const Point& p : points) {
      if (!kept.empty() && (kept.back().error > 0) == (p.error > 0)) {
        if (std::abs(p.error) > std::abs(kept.back().error)) kept.back() = p;
      } else {
        kept.push_back(p);
      }
    }
    return kept;
  }

  // To as many as the reference has, signs alternating still: the smallest goes, inside with its smaller neighbour.
  void reduce(std::vector<Point>& points) const {
    const auto smaller = [](const Point& x, const Point& y) { return std::abs(x.error) < std::abs(y.error); };
    while (points.size() > reference_.size()) {
      const auto least = std::min_element(points.begin(), points.end(), smaller);
      if (points.size() == reference_.size() + 1 || least == points.begin() || least + 1 == points.end()) {
        if (points.size() == reference_.size() + 1) {
          points.erase(smaller(points.front(), points.back()) ? points.begin() : points.end() - 1);
        } else {
          points.erase(least);
        }
        continue;
      }
      const auto begin = smaller(*(least - 1), *(least + 1)) ? least - 1 : least;
      points.erase(begin, begin + 2);
    }
  }

  ChebyshevSeries series() const {
    ChebyshevSeries p{static_cast<double>(low_), static_cast<double>(high_), {}};
    p.coefficients.resize(static_cast<std::size_t>(first_ + step_ * static_cast<int>(c_.size() - 1)) + 1);
    for (std::size_t j = 0; j < c_.size(); ++j) {
      p.coefficients[static_cast<std::size_t>(first_) + static_cast<std::size_t>(step_) * j] =
          static_cast<double>(c_[j]);
    }
    return p;
  }

  const Function& f_;
  std::span<const Interval> intervals_;
  int step_, first_;
  Real low_, high_, size_ = 0;
  std::vector<Real> c_, reference_;
};

}  // namespace

Minimax minimax(const Function& f, std::span<const Interval> intervals, int degree, Parity parity) {
  const int least = parity == Parity::odd ? 1 : 0;
  if (degree < least || degree > kMaxDegree || (parity != Parity::general && degree % 2 != least)) {
    fail_input(
        "no minimax polynomial of degree {}: degrees are {} to {}, odd for odd ones and even for even ones",
        degree, least, kMaxDegree);
  }
  if (intervals.empty()) fail_input("a minimax polynomial needs at least one interval");
  double end = parity == Parity::general ? -INFINITY : 0;
  for (const Interval& i : intervals) {
    if (!(i.low < i.high) || !(i.low >= end) || !std::isfinite(i.low) || !std::isfinite(i.high)) {
      fail_input("the interval [{}, {}] of a minimax polynomial: intervals must ascend without overlap{}",
                 i.low, i.high, parity == Parity::general ? "" : " from 0");
    }
    end = i.high;
  }
  return Exchange(f, intervals, degree, parity).run();
}

}  // namespace ap::circuits

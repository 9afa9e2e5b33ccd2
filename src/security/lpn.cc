#include "security/lpn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace ap::security {
namespace {

constexpr double kDenseExponent = 2.8;  // Strassen
constexpr double kSparseFactor = 20;    // 2 s products with a matrix of ten ones a row
constexpr double kMacaulayFactor = 3;   // of Wiedemann's method, as in algebraic cryptanalysis
constexpr int kMaxErrors = 10;          // of an information set
constexpr int kMinDegree = 2, kMaxDegree = 4;

double log2_choose(double n, double r) {
  return (std::lgamma(n + 1) - std::lgamma(r + 1) - std::lgamma(n - r + 1)) / std::log(2.0);
}

double log2_add(double a, double b) { return std::max(a, b) + std::log2(1 + std::exp2(-std::abs(a - b))); }

/// The root of a function that is negative below it and not above, by bisection.
template <typename Reached>
double first_reached(double low, double high, const Reached& reached) {
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (reached(middle) ? high : low) = middle;
  }
  return high;
}

/// log2 of the trials until s rows, spread evenly over the bins, hold exactly `errors` wrong ones.
double trials(const LpnInstance& x, double s, double errors) {
  const double share = s / x.n();
  return -(log2_choose(x.t, errors) + (errors > 0 ? errors * std::log2(share) : 0) +
           (x.t - errors) * std::log2(1 - share));
}

double dense_steps(double s) { return kDenseExponent * std::log2(s); }
double sparse_steps(double s) { return std::log2(kSparseFactor) + 2 * std::log2(s); }

LpnAttack clean_rows(std::string name, const LpnInstance& x, double s, double steps) {
  const double count = trials(x, s, 0);
  return {std::move(name), count, count + steps};
}

LpnAttack with_errors(std::string name, const LpnInstance& x, double s) {
  LpnAttack best = clean_rows(name, x, s, std::min(dense_steps(s), sparse_steps(s)));
  for (int p = 2; p <= kMaxErrors; p += 2) {
    const double list = log2_choose(s / 2, p / 2);
    const double solving = std::min(dense_steps(s), sparse_steps(s) + std::log2(list));
    const double count = trials(x, s, p);
    const double bits = count + log2_add(solving, list + 2);  // two lists, their matches, the checks
    if (bits < best.bits) best = {name, count, bits};
  }
  return best;
}

/// The smallest coefficient of z^2 .. z^degree in (1 + b z)^t / (1 + z)^(n - k).
long double lowest_coefficient(const LpnInstance& x, double guessed, int degree) {
  const long double b = (x.n() - guessed) / x.t - 1, equations = x.n() - x.k;
  std::array<long double, kMaxDegree + 1> noise{1}, inverse{1};
  for (int i = 1; i <= degree; ++i) {
    const auto j = static_cast<std::size_t>(i);
    noise[j] = noise[j - 1] * (x.t - i + 1) / i * b;
    inverse[j] = -inverse[j - 1] * (equations + i - 1) / i;
  }
  long double lowest = std::numeric_limits<long double>::infinity();
  for (std::size_t m = kMinDegree; m <= static_cast<std::size_t>(degree); ++m) {
    long double sum = 0;
    for (std::size_t i = 0; i <= m; ++i) sum += noise[i] * inverse[m - i];
    lowest = std::min(lowest, sum);
  }
  return lowest;
}

LpnAttack algebraic(const LpnInstance& x) {
  LpnAttack best{"algebraic", 0, std::numeric_limits<double>::infinity()};
  for (int degree = kMinDegree; degree <= kMaxDegree; ++degree) {
    const double guessed =
        first_reached(0, x.k, [&](double g) { return lowest_coefficient(x, g, degree) <= 0; });
    const double left = std::max(x.k - guessed, 2.0 * degree);
    const double columns = log2_choose(left, degree);
    const double count = trials(x, guessed, 0);
    const double bits = count + std::min(kDenseExponent * columns,
                                         std::log2(kMacaulayFactor) + 2 * columns + std::log2(left));
    if (bits < best.bits) best = {best.name, count, bits};
  }
  return best;
}

}  // namespace

double lpn_random_subset(const LpnInstance& x) {
  return x.k * std::min(1.0, std::pow(x.k / x.n(), 1 / (x.weight - 1)));
}

double lpn_smallest_subset(const LpnInstance& x) {
  // log of C(k, s) times the chance that at least s rows lie inside, Chernoff's bound for a Poisson number.
  const auto exists = [&](double share) {
    const double s = share * x.k, inside = x.n() * std::pow(share, x.weight);
    if (share >= 1 || inside >= s) return true;
    const double sets = -x.k * (share * std::log(share) + (1 - share) * std::log(1 - share));
    return sets - (s * std::log(s / inside) - s + inside) >= 0;
  };
  return x.k * first_reached(0, 1, exists);
}

std::vector<LpnAttack> lpn_attacks(const LpnInstance& x) {
  AP_ASSERT(x.k >= 2 && x.t >= 2 && x.bin >= 2 && x.k < x.n() && x.weight >= 3);
  const double random = lpn_random_subset(x), smallest = lpn_smallest_subset(x);
  const double checks = -2 * (smallest / 2) * std::log2(1 - 2 / x.bin);
  return {clean_rows("pooled Gauss", x, x.k, dense_steps(x.k)),
          clean_rows("subset, dense", x, random, dense_steps(random)),
          clean_rows("subset, sparse", x, random, sparse_steps(random)),
          with_errors("information set", x, random),
          with_errors("best subset", x, smallest),
          {"statistical decoding", checks, checks},
          algebraic(x)};
}

double lpn_bits(const LpnInstance& instance) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const LpnAttack& attack : lpn_attacks(instance)) lowest = std::min(lowest, attack.bits);
  return lowest;
}

}  // namespace ap::security

// Attacks that guess where a sparse secret is zero: the primal hybrid of Howgrave-Graham (Crypto 2007) with enumeration
// or a meet in the middle, and the dual hybrid of Espitau, Joux and Kharchenko (Indocrypt 2020).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "security/reduction.h"

namespace ap::security {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kPi = std::numbers::pi;
// What all repetitions together succeed with.
constexpr double kSuccess = 0.99;

double log2_binomial(double n, double k) {
  if (k < 0 || k > n) return -kInfinity;
  return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::numbers::ln2;
}

// log2 of the trials of probability 2^p each.
double log2_trials(double p) {
  if (p > -40) {
    const double probability = std::exp2(p);
    if (probability >= kSuccess) return 0;
    return std::log2(std::ceil(std::log(1 - kSuccess) / std::log1p(-probability)));
  }
  return std::log2(-std::log(1 - kSuccess)) - p;
}

// That `weight` of the h coefficients are among zeta of n.
double log2_split(double n, double h, double zeta, double weight) {
  return log2_binomial(zeta, weight) + log2_binomial(n - zeta, h - weight) - log2_binomial(n, h);
}

/// Finds a minimum of f over [low, high]: a grid, then finer ones around the best point. For functions with one valley and
/// small steps in it.
template <typename F>
double minimum(int low, int high, int points, const F& f, int* at = nullptr) {
  int best_at = low, step = std::max(1, (high - low) / points);
  double best = kInfinity;
  int begin = low, end = high;
  while (true) {
    for (int x = begin; x <= end; x += step) {
      const double y = f(x);
      if (y < best) {
        best = y;
        best_at = x;
      }
    }
    if (step == 1) break;
    begin = std::max(low, best_at - step);
    end = std::min(high, best_at + step);
    step = std::max(1, step / 4);
  }
  if (at != nullptr) *at = best_at;
  return best;
}

// --- primal ---------------------------------------------------------------------------------------------------

// A basis of rank d after BKZ-beta, with zeta coordinates of the secret left out.
struct Basis {
  Basis(const Instance& x, int beta, int zeta) : log2_delta(security::log2_delta(beta)) {
    const double rest = x.n - zeta, log2_xi = std::log2(x.sigma / secret_sigma(x));
    d = std::max<double>(beta, std::ceil(std::sqrt(rest * (x.log2_q - log2_xi) / log2_delta)));
    log2_volume = (d - rest) * x.log2_q + rest * log2_xi;
  }
  // log2 of the length of Gram-Schmidt vector i.
  double log2_length(double i) const { return (d - 1 - 2 * i) * log2_delta + log2_volume / d; }
  // log2 of the product of probability(length) over the first `count` vectors, whose lengths fall geometrically: a sum
  // over few of them stands for all.
  template <typename Probability>
  double log2_product(double count, const Probability& probability) const {
    const double stride = std::max(1.0, std::floor(0.06 / (2 * log2_delta)));
    double sum = 0;
    for (double end = count; end > 0; end -= stride) {
      const double width = std::min(stride, end);
      const double term = width * std::log2(probability(std::exp2(log2_length(end - 0.5 - width / 2))));
      sum += term;
      if (term > -1e-6 || sum < -4000) break;
    }
    return sum;
  }
  double d, log2_volume = 0, log2_delta;
};

double log2_ball(double k) { return k / 2 * std::log2(kPi) - std::lgamma(k / 2 + 1) / std::numbers::ln2; }

// The rank of the SVP call that finds the planted vector; beyond the basis if none does.
double svp_rank(const Instance& x, const Basis& basis) {
  const auto fits = [&](double i) {
    const double rank = basis.d - i;
    const double block = rank / basis.d * basis.log2_volume - i * rank * basis.log2_delta;
    return (block + std::log2(x.sigma) - log2_ball(rank + 1)) / (rank + 1) <
           std::log2(x.sigma * std::sqrt(rank + 1));
  };
  double low = 0, high = basis.d - 1;
  if (!fits(high)) return 2;
  while (low < high) {
    const double middle = std::floor((low + high) / 2);
    if (fits(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return basis.d - low + 2;
}

double primal_cost(const Instance& x, CostModel model, bool meet, int beta, int zeta) {
  const Basis basis(x, beta, zeta);
  const double reduction = log2_bkz(model, beta, basis.d);
  // One guess: Babai's nearest plane, after a call to SVP if guesses are enumerated. Probability that the error is in
  // the parallelepiped: its coordinates are nearly normal in so many dimensions.
  const auto inside = [&](double length) { return std::erf(length / 2 / (x.sigma * std::numbers::sqrt2)); };
  double guess = 2 * std::log2(basis.d), probability = 0;
  if (meet) {
    probability = basis.log2_product(basis.d, inside);
    if (zeta > 0) {
      // Both halves must round alike (Son and Cheon 2019, lemma 4.2).
      probability += basis.log2_product(basis.d, [&](double length) {
        const double y = length / (std::numbers::sqrt2 * x.sigma);
        return std::erf(y) - (1 - std::exp(-y * y)) / (y * std::sqrt(kPi));
      });
    }
  } else {
    const double rank = svp_rank(x, basis), lifted = basis.d - (rank - 1);
    if (lifted < 0) return kInfinity;
    guess = log2_add(log2_bkz(model, rank, rank), 2 * std::log2(std::max(lifted, 1.0)));
    probability = basis.log2_product(lifted, inside);
  }
  // All guesses of at most `weight` coefficients that are not zero.
  double best = kInfinity, log2_space = -kInfinity, log2_hit = -kInfinity;
  const int least = std::max(0, static_cast<int>(zeta - x.n + x.weight));
  const int most = std::min(zeta, static_cast<int>(x.weight));
  for (int weight = least; weight <= most; ++weight) {
    log2_space = log2_add(log2_space, log2_binomial(zeta, weight) + weight);
    log2_hit = std::min(0.0, log2_add(log2_hit, log2_split(x.n, x.weight, zeta, weight)));
    const double cost = log2_add(reduction, guess + (meet ? log2_space / 2 : log2_space)) +
                        log2_trials(log2_hit + probability);
    if (cost > best) break;
    best = cost;
  }
  return best;
}

// --- dual -----------------------------------------------------------------------------------------------------

double dual_cost(const Instance& x, CostModel model, int beta, int zeta, int weight) {
  const double rest = x.n - zeta, delta = log2_delta(beta);
  const double log2_t = std::log2((x.weight - weight) / rest) / 2;
  const double c = log2_t + x.log2_q - std::log2(x.sigma);
  const double samples = std::max(1.0, std::ceil(std::sqrt(rest * c / delta)) - rest), d = samples + rest;
  // The new error, over q.
  const double log2_error = log2_sieve_length(model, beta, 2 * beta) + log2_t + d * delta - c * samples / d;
  if (log2_error > 8) return kInfinity;
  const double plus = std::floor(weight / 2.0);
  const double log2_size =
      log2_binomial(zeta, plus) + log2_binomial(zeta - plus, weight - plus) + std::log2(std::sqrt(kSuccess));
  const double error = std::exp2(log2_error);
  const double log2_needed =
      3 + 4 * kPi * kPi * error * error / std::numbers::ln2 +
      std::log2(log2_size * std::numbers::ln2 - std::log(std::log(1 / std::sqrt(kSuccess))));
  const Sieve sieve = short_vectors(model, beta, d);
  const double calls = std::max(log2_needed - sieve.log2_vectors, 0.0);
  const double whole = calls < 40 ? std::log2(std::ceil(std::exp2(calls))) : calls;
  return log2_add(1 + log2_size + log2_needed, whole + sieve.log2_cost) +
         log2_trials(log2_split(x.n, x.weight, zeta, weight));
}

}  // namespace

double primal_hybrid(const Instance& x, CostModel model, bool meet, int usvp_block) {
  const auto at = [&](int zeta) {
    return minimum(40, usvp_block, 16, [&](int beta) { return primal_cost(x, model, meet, beta, zeta); });
  };
  return minimum(0, static_cast<int>(x.n) - 64, 32, at);
}

double sparse_dual_hybrid(const Instance& x, CostModel model) {
  const auto at = [&](int zeta) {
    const int least = std::max(0, static_cast<int>(zeta - x.n + x.weight));
    const int most = std::min(zeta, static_cast<int>(x.weight) - 1);
    double best = kInfinity;
    for (int weight = least, worse = 0; weight <= most && worse < 3; ++weight) {
      const double cost =
          minimum(40, kMaxBlock, 24, [&](int beta) { return dual_cost(x, model, beta, zeta, weight); });
      worse = cost < best ? 0 : worse + 1;
      best = std::min(best, cost);
    }
    return best;
  };
  return minimum(0, static_cast<int>(x.n) - 64, 32, at);
}

}  // namespace ap::security

// MATZOV's dual hybrid attack: guess ke coordinates of the secret exhaustively, kf by FFT modulo p, and tell
// the right guess from the others with short dual vectors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "security/reduction.h"

namespace ap::security {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kE = std::numbers::e;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Everything that depends on the secret's distribution only.
struct Guessing {
  double sigma, entropy, log2_repeats, log2_per_coordinate;
  explicit Guessing(double t) : sigma(t) {
    const double x = kPi * kPi * t * t;
    entropy = (0.5 + std::log(std::sqrt(2 * kPi) * t) + std::log(1 / std::tanh(x))) / std::numbers::ln2;
    const double g = std::exp(8 * x * std::exp(-2 * x) * std::tanh(x));
    log2_repeats = -std::log2(1 - std::exp(-1 / (2 * t * t)));
    log2_per_coordinate = std::log2(2 * g / std::sqrt(kE)) + entropy;
  }
};

double cost(const Instance& x, CostModel model, const Guessing& guess, int beta, int p, int ke, int kf) {
  const double m = x.n, r = x.n - ke - kf, d = m + r, t = guess.sigma;
  if (r < 1 || beta >= d) return kInfinity;
  const double log2_length = m / d * std::log2(x.sigma) + r / d * (std::log2(t) + x.log2_q) +
                             std::log2(std::sqrt(4.0 / 3)) + std::log2(std::sqrt(beta / (2 * kPi * kE))) +
                             (d - beta) * log2_delta(beta);
  const double relative = std::exp2(log2_length - x.log2_q);
  const double log2_samples =
      (4 * (kPi * relative) * (kPi * relative) + kf / 3.0 * (t * kPi / p) * (t * kPi / p)) /
          std::numbers::ln2 +
      std::log2(ke * guess.entropy + kf * std::log(p) + std::numbers::ln2);
  const Sieve sieve = short_vectors(model, beta, d);
  const double log2_calls = std::max(log2_samples - sieve.log2_vectors, 0.0);
  // Whole calls: ceil matters only while the number is small.
  const double calls =
      log2_calls < 40 ? std::log2(std::ceil(std::exp2(log2_samples - sieve.log2_vectors))) : log2_calls;
  const double sample = calls + sieve.log2_cost;
  const double fft = kf > 0 ? std::log2(1024.0 * kf) + (kf + 1) * std::log2(p) : -kInfinity;
  const double table = std::log2(640.0) + log2_samples;
  const double guessing = guess.log2_repeats + ke * guess.log2_per_coordinate + log2_add(fft, table);
  return log2_add(sample, guessing);
}

// Convex enough in beta: coarse walk, then fine around the best.
double best_over_beta(const Instance& x, CostModel model, const Guessing& guess, int p, int ke, int kf,
                      int& beta) {
  const auto at = [&](int b) { return cost(x, model, guess, b, p, ke, kf); };
  int low = 40, high = kMaxBlock;
  while (high - low > 12) {
    const int third = (high - low) / 3;
    const int a = low + third, b = high - third;
    const double ca = at(a), cb = at(b);
    if (ca <= cb || (std::isinf(cb) && !std::isinf(ca))) {
      high = b;
    } else {
      low = a;
    }
  }
  double best = kInfinity;
  for (int b = low; b <= high; ++b) {
    const double c = at(b);
    if (c < best) {
      best = c;
      beta = b;
    }
  }
  return best;
}

}  // namespace

double dual_hybrid(const Instance& x, CostModel model) {
  const Guessing guess(secret_sigma(x));
  double best = kInfinity;
  int beta = 0;
  for (int p = 2; p <= 8; ++p) {
    double best_p = kInfinity;
    for (int ke = 0; ke < x.n; ke += 10) {
      double best_ke = kInfinity;
      for (int kf = 0; kf + ke < x.n; kf += 10) {
        const double c = best_over_beta(x, model, guess, p, ke, kf, beta);
        if (c > best_ke) break;
        best_ke = c;
      }
      if (best_ke > best_p) break;
      best_p = best_ke;
    }
    best = std::min(best, best_p);
  }
  return best;
}

}  // namespace ap::security

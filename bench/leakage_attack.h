// The attack of bench/leakage: a client that follows the protocol and keeps its own random numbers computes the
// weights of a layer from the errors of its results. What it knows of one evaluation: the errors e of its uploads,
// the opened errors delta of the results, and for each the offset psi of the rounding (layers/linear/coefficient/weight_privacy.h):
//
//   delta = round(tau_unit (<e, w>[position] + noise) - psi)
//
// Its best linear statistic of one result is the score of delta given psi, which is delta + psi itself where the
// errors are wide. The weights are the regression of the scores on the errors: the matched filter, or least squares
// by conjugate gradients.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "layers/linear/coefficient/layout.h"

namespace ap::leakage {

/// One reply of a layer: which uploads and weight polynomials it is made of and what of it is read.
class Reply {
 public:
  Reply(const linear::Layout& layout, std::span<const std::int16_t> weights)
      : n_(layout.n()), terms_(layout.terms()), first_upload_(layout.first_upload(0)) {
    for (const linear::OutputPosition& read : layout.reads(0)) {
      positions_.push_back(read.position);
      outputs_.push_back(read.output);
    }
    std::vector<std::int32_t> polynomial(n_);
    for (std::size_t t = 0; t < terms_; ++t) {
      layout.encode_weights(layout.first_weight(0) + t, weights, polynomial);
      weights_.insert(weights_.end(), polynomial.begin(), polynomial.end());
    }
  }

  std::size_t n() const { return n_; }
  std::size_t terms() const { return terms_; }
  std::size_t first_upload() const { return first_upload_; }
  std::span<const std::uint32_t> positions() const { return positions_; }
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  std::span<const float> weights() const { return weights_; }

  /// sums[i] = (sum over terms of e_t x_t)[positions[i]], a negacyclic product, for polynomials x.
  void apply(const std::int8_t* errors, std::span<const float> x, std::span<float> sums) const {
    std::vector<float> doubled(2 * n_);
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::size_t t = 0; t < terms_; ++t) {
      reverse(errors + t * n_, doubled);
      for (std::size_t i = 0; i < positions_.size(); ++i) {
        // e[k - j], and -e[n + k - j] for j > k, is doubled[n - 1 - k + j].
        const float* e = doubled.data() + (n_ - 1 - positions_[i]);
        const float* w = x.data() + t * n_;
        float sum = 0;
        for (std::size_t j = 0; j < n_; ++j) sum += e[j] * w[j];
        sums[i] += sum;
      }
    }
  }

  /// The transposed map: gradient += sum over i of values[i] times the errors that meet positions[i].
  void add_transposed(const std::int8_t* errors, std::span<const float> values,
                      std::span<double> gradient) const {
    std::vector<float> doubled(2 * n_), sum(n_);
    for (std::size_t t = 0; t < terms_; ++t) {
      reverse(errors + t * n_, doubled);
      std::fill(sum.begin(), sum.end(), 0.0F);
      for (std::size_t i = 0; i < positions_.size(); ++i) {
        const float* e = doubled.data() + (n_ - 1 - positions_[i]);
        for (std::size_t j = 0; j < n_; ++j) sum[j] += values[i] * e[j];
      }
      for (std::size_t j = 0; j < n_; ++j) gradient[t * n_ + j] += sum[j];
    }
  }

  /// Pearson's correlation of an estimate with the weights, over the coefficients that hold one.
  double correlation(std::span<const double> estimate) const {
    double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (weights_[i] == 0) continue;
      const double x = estimate[i], y = weights_[i];
      n += 1, sx += x, sy += y, sxx += x * x, syy += y * y, sxy += x * y;
    }
    return (sxy - sx * sy / n) / std::sqrt((sxx - sx * sx / n) * (syy - sy * sy / n));
  }

 private:
  /// out[n - 1 - i] = e[i], out[2 n - 1 - i] = -e[i]: so that rising j walks e downwards and around.
  void reverse(const std::int8_t* e, std::span<float> out) const {
    for (std::size_t i = 0; i < n_; ++i) {
      out[n_ - 1 - i] = e[i];
      out[2 * n_ - 1 - i] = -static_cast<float>(e[i]);
    }
  }

  std::size_t n_, terms_, first_upload_;
  std::vector<std::uint32_t> positions_, outputs_;
  std::vector<float> weights_;  ///< polynomial after polynomial
};

/// Minus d/dx log P(delta | psi, mean x) at 0, in units in which it is delta + psi for wide errors: `error_std` is the
/// standard deviation of the errors.
inline double score(double delta, double psi, double error_std) {
  const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); };
  const auto above = [](double x) { return std::erfc(x / std::numbers::sqrt2) / 2; };
  const double low = (delta - 0.5 + psi) / error_std, high = (delta + 0.5 + psi) / error_std;
  const double probability = low > 0 ? above(low) - above(high) : above(-high) - above(-low);
  if (probability < 1e-300) return delta + psi;
  return error_std * (density(low) - density(high)) / probability;
}

/// Evaluations with what the client knows of them.
struct Transcript {
  std::vector<std::int8_t> errors;  ///< evaluation after evaluation, terms * n each
  std::vector<float> scores;        ///< evaluation after evaluation, one for each position
};

/// The matched filter: proportional to the weights plus noise.
inline std::vector<double> matched_filter(const Reply& reply, const Transcript& seen) {
  const std::size_t each = reply.terms() * reply.n(), reads = reply.positions().size();
  std::vector<double> gradient(each);
  for (std::size_t t = 0; t * reads < seen.scores.size(); ++t) {
    reply.add_transposed(seen.errors.data() + t * each, std::span(seen.scores).subspan(t * reads, reads),
                         gradient);
  }
  return gradient;
}

/// Least squares on the coefficients that hold weights (the layout is public), by conjugate gradients.
inline std::vector<double> least_squares(const Reply& reply, const Transcript& seen, int iterations) {
  const std::size_t each = reply.terms() * reply.n(), reads = reply.positions().size();
  const std::size_t count = seen.scores.size() / reads;
  const auto support = [&](std::vector<double>& v) {
    for (std::size_t i = 0; i < each; ++i) v[i] = reply.weights()[i] != 0 ? v[i] : 0;
  };
  std::vector<double> x(each, 0), residual = matched_filter(reply, seen);
  support(residual);
  std::vector<double> direction = residual;
  const auto square = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double a : v) sum += a * a;
    return sum;
  };
  double old = square(residual);
  for (int k = 0; k < iterations && old > 0; ++k) {
    Transcript image{{}, std::vector<float>(seen.scores.size())};
    const std::vector<float> d(direction.begin(), direction.end());
    parallel_for(count, [&](std::size_t t) {
      reply.apply(seen.errors.data() + t * each, d, std::span(image.scores).subspan(t * reads, reads));
    });
    std::vector<double> normal(each);
    double curvature = 0;
    for (std::size_t t = 0; t < count; ++t) {
      const auto values = std::span<const float>(image.scores).subspan(t * reads, reads);
      for (const float v : values) curvature += static_cast<double>(v) * v;
      reply.add_transposed(seen.errors.data() + t * each, values, normal);
    }
    support(normal);
    const double step = old / curvature;
    for (std::size_t i = 0; i < each; ++i) {
      x[i] += step * direction[i];
      residual[i] -= step * normal[i];
    }
    const double now = square(residual);
    for (std::size_t i = 0; i < each; ++i) direction[i] = residual[i] + now / old * direction[i];
    old = now;
  }
  return x;
}

}  // namespace ap::leakage

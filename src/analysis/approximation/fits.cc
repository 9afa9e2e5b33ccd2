#include "analysis/approximation/fits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "base/error.h"
#include "he/circuits/polynomial_plan.h"

namespace ap::approximation {
namespace {

using circuits::Distribution;

const nn::Op& op_of(const nn::Graph& graph, int node) {
  return graph.nodes[static_cast<std::size_t>(node)].op;
}

// Where the function or its slope jumps.
std::vector<double> kinks_of(const nn::Op& op) {
  if (const auto* clip = std::get_if<nn::ClipOp>(&op)) {
    std::vector<double> kinks;
    for (const float end : {clip->low, clip->high}) {
      if (std::isfinite(end)) kinks.push_back(double{end});
    }
    return kinks;
  }
  return {0};
}

Distribution measured(const InputDistribution& d, std::span<const double> kinks) {
  const std::size_t bins = d.counts.size();
  std::vector<double> edges(bins + 1), counts(bins);
  // A distribution of one value has some width.
  const double width = std::max(d.high - d.low, 1e-6 * (1 + d.largest()));
  for (std::size_t i = 0; i <= bins; ++i)
    edges[i] = d.low + width * static_cast<double>(i) / static_cast<double>(bins);
  for (std::size_t i = 0; i < bins; ++i) counts[i] = static_cast<double>(d.counts[i]);
  return circuits::histogram_distribution(edges, counts, kinks);
}

void add(Distribution& to, const Distribution& other, double part) {
  for (long double& w : to.weights) w *= 1 - part;
  to.points.insert(to.points.end(), other.points.begin(), other.points.end());
  for (const long double w : other.weights) to.weights.push_back(w * part);
}

// Of x and -x with equal weights.
Distribution symmetric(Distribution d) {
  Distribution mirrored = d;
  for (long double& x : mirrored.points) x = -x;
  add(d, mirrored, 0.5);
  return d;
}

Distribution weighting(const InputDistribution& d, const FitWeights& weights, double bound,
                       std::span<const double> kinks) {
  if (weights.shape == FitWeights::Shape::normal) {
    return circuits::normal_distribution(d.mean, std::max(d.deviation(), 1e-6) * weights.widening, kinks);
  }
  Distribution result = measured(d, kinks);
  if (weights.uniform_part > 0) {
    std::vector<double> edges, counts(256, 1);
    for (int i = 0; i <= 256; ++i) edges.push_back(bound * (i / 128.0 - 1));
    add(result, circuits::histogram_distribution(edges, counts, kinks), weights.uniform_part);
  }
  return result;
}

// Searching degrees takes long; there are few numbers of bits.
circuits::CompositeSign sign_of(int bits) {
  static std::mutex mutex;
  static std::map<int, circuits::CompositeSign> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(bits);
  return found != known.end() ? found->second
                              : known.emplace(bits, circuits::sign_for_relu(bits)).first->second;
}

Candidate finished(plan::ApproximateActivation a, int products, const nn::Op& op,
                   const InputDistribution& d) {
  a.node = d.node;
  a.depth = plan::depth_of(a.function);
  Candidate c{std::move(a), products, 0, 0};
  c.squared_error = squared_error(c.activation, op, d);
  constexpr int kPoints = 2000;
  for (int i = 0; i <= kPoints; ++i) {
    const double x = c.activation.bound * (2.0 * i / kPoints - 1);
    c.largest_error = std::max(c.largest_error, std::abs(c.activation(x) - exact_activation(op, x)));
  }
  return c;
}

}  // namespace

bool is_half_even(const nn::Op& op) {
  if (const auto* clip = std::get_if<nn::ClipOp>(&op)) return clip->low == 0 && std::isinf(clip->high);
  const auto* curve = std::get_if<nn::SmoothOp>(&op);
  return curve != nullptr && (curve->kind == nn::SmoothKind::silu || curve->kind == nn::SmoothKind::gelu ||
                              curve->kind == nn::SmoothKind::gelu_tanh);
}

Candidate fit_polynomial(const nn::Graph& graph, const InputDistribution& d, int degree, double bound,
                         const FitWeights& weights) {
  const nn::Op& op = op_of(graph, d.node);
  if (!(bound > 0) || !std::isfinite(bound) || degree < 1) {
    fail_input("a polynomial of degree {} on [-{}, {}]: both must be positive", degree, bound, bound);
  }
  const std::vector<double> kinks = kinks_of(op);
  Distribution distribution = weighting(d, weights, bound, kinks);
  const bool half_even = is_half_even(op);
  if (half_even) {
    if (degree % 2 != 0)
      fail_input("a polynomial of degree {} for x / 2 and an even part: take an even one", degree);
    distribution = symmetric(std::move(distribution));
  }
  const auto f = [&](long double x) {
    const auto y = static_cast<long double>(exact_activation(op, static_cast<double>(x)));
    return half_even ? y - x / 2 : y;
  };
  circuits::ChebyshevSeries series = circuits::fit(f, distribution, degree, -bound, bound).polynomial;
  const circuits::Parity parity = half_even ? circuits::Parity::even : circuits::Parity::general;
  if (half_even) {
    for (std::size_t j = 1; j < series.coefficients.size(); j += 2) series.coefficients[j] = 0;
    series.coefficients[1] = bound / 2;
  }
  const int products = circuits::plan_polynomial(degree, parity).products();
  plan::ApproximateActivation a;
  a.bound = bound;
  a.function = std::move(series);
  return finished(std::move(a), products, op, d);
}

Candidate composite_relu(const nn::Graph& graph, const InputDistribution& d, int bits, double bound) {
  const auto* clip = std::get_if<nn::ClipOp>(&op_of(graph, d.node));
  if (clip == nullptr || !is_half_even(*clip)) {
    fail_input("node {}: a composite sign makes ReLU only, not this {}",
               graph.nodes[static_cast<std::size_t>(d.node)].name, nn::op_name(op_of(graph, d.node)));
  }
  if (!(bound > 0) || !std::isfinite(bound))
    fail_input("a ReLU on [-{}, {}]: the bound must be positive", bound, bound);
  plan::ApproximateActivation a;
  a.bound = bound;
  plan::CompositeRelu relu{bits, sign_of(bits)};
  const int products = relu.sign.products() + 1;
  a.function = std::move(relu);
  return finished(std::move(a), products, *clip, d);
}

double squared_error(const plan::ApproximateActivation& p, const nn::Op& op, const InputDistribution& d) {
  const Distribution m = measured(d, kinks_of(op));
  double sum = 0;
  for (std::size_t i = 0; i < m.points.size(); ++i) {
    const auto x = static_cast<double>(m.points[i]);
    const double error = p(x) - exact_activation(op, x);
    sum += static_cast<double>(m.weights[i]) * error * error;
  }
  return sum;
}

}  // namespace ap::approximation

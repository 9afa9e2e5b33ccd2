#include "he/circuits/composite_sign.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "he/circuits/linear_terms.h"
#include "he/circuits/remez.h"

namespace ap::circuits {
namespace {

constexpr int kMaxStageDegree = 31, kMaxDepth = 40;
// Later intervals are wider by this than where exact values lead, for the noise of ciphertexts.
constexpr double kMargin = 0x1p-16;
// Of the tables that the dynamic programme interpolates, in bits.
constexpr double kTableStep = 0.5;

// The odd polynomial nearest to 1 on [ratio, 1].
Minimax sign_polynomial(double ratio, int degree) {
  const Interval interval{ratio, 1};
  return minimax([](long double) { return 1.0L; }, {&interval, 1}, degree, Parity::odd);
}

// (1 - d) / (1 + d) and back: a step takes values within d of 1 to values within its error of 1.
double ratio_of(double d) { return (1 - d) / (1 + d); }
// A scale on which both ends of (0, 1) are far: log2(d / (1 - d)).
double logit(double d) { return std::log2(d / (1 - d)); }
double from_logit(double x) { return 1 / (1 + std::exp2(-x)); }

// For one degree: the widest distance from 1 that it takes to within a wanted one.
class Step {
 public:
  explicit Step(int degree) : degree_(degree) {
    const PolynomialPlan plan = plan_polynomial(degree, Parity::odd);
    depth_ = plan.depth;
    products_ = plan.products();
  }
  int degree() const { return degree_; }
  int depth() const { return depth_; }
  int products() const { return products_; }

  // Both as logits. Narrower than -6 is not worth a step, and wider than 22 none has.
  double widest(double wanted) {
    constexpr double kNarrow = -6, kWide = 22;
    double below = -1000;
    for (double x = kNarrow; x <= kWide; x += kTableStep) {
      const double here = error_at(x);
      if (here > wanted) {
        if (x == kNarrow) return kNarrow;
        return x - kTableStep * (here - wanted) / (here - below);
      }
      below = here;
    }
    return kWide;
  }

 private:
  double error_at(double x) {
    const auto [at, fresh] = errors_.try_emplace(x);
    if (!fresh) return at->second;
    const double d = from_logit(x);
    // Beyond what the exchange resolves, one extremum more or less tells nothing: take the power that it is near to.
    const double estimate = std::pow(d, (degree_ + 1) / 2.0) / (degree_ + 1);
    if (estimate < 1e-12) return at->second = logit(estimate);
    return at->second = logit(sign_polynomial(ratio_of(d), degree_).error);
  }

  int degree_, depth_ = 0, products_ = 0;
  std::map<double, double> errors_;
};

// The dynamic programme. Its tables serve every start and end.
class DegreeSearch {
 public:
  DegreeSearch() {
    for (int degree = 3; degree <= kMaxStageDegree; degree += 2) steps_.emplace_back(degree);
  }

  // Degrees from the first stage to the last: the least depth and then products whose composition takes all within
  // `start` of 1 to within `end`. Backwards: for each depth and number of products the widest distance from which the
  // last stages lead to the end.
  std::vector<int> best(double start, double end) {
    std::map<std::pair<int, int>, State> states;
    states[{0, 0}].widest = logit(end);
    for (int depth = 1; depth <= kMaxDepth; ++depth) {
      for (int products = 1; products <= 3 * depth; ++products) {
        State most;
        for (Step& step : steps_) {
          const auto rest = states.find({depth - step.depth(), products - step.products()});
          if (rest == states.end()) continue;
          const double widest = step.widest(rest->second.widest);
          if (widest > std::max(most.widest, rest->second.widest)) most = {widest, &step};
        }
        if (most.first == nullptr) continue;
        states[{depth, products}] = most;
        if (most.widest < logit(start)) continue;
        std::vector<int> degrees;
        for (auto at = std::pair(depth, products); states[at].first != nullptr;) {
          const Step& first = *states[at].first;
          degrees.push_back(first.degree());
          at = {at.first - first.depth(), at.second - first.products()};
        }
        return degrees;
      }
    }
    fail_input("no composite sign from within {} of 1 to within {} in {} levels", start, end, kMaxDepth);
  }

 private:
  struct State {
    double widest = -1000;
    const Step* first = nullptr;
  };
  std::vector<Step> steps_;
};

CompositeSign compose(const std::vector<int>& degrees, double smallest) {
  CompositeSign sign;
  sign.smallest = smallest;
  double low = smallest, high = 1;
  for (const int degree : degrees) {
    const Minimax step = sign_polynomial(low / high, degree);
    ChebyshevSeries stage = step.polynomial;
    stage.low = -high;
    stage.high = high;
    sign.stages.push_back(std::move(stage));
    sign.error = step.error;
    low = 1 - step.error - kMargin;
    high = 1 + step.error + kMargin;
  }
  return sign;
}

// The largest error of ReLU where the sign is not near yet.
double inner_error(const CompositeSign& sign) {
  constexpr int kPoints = 400;
  double most = 0;
  for (int i = 1; i < kPoints; ++i) {
    const double x = sign.smallest * i / kPoints;
    most = std::max(most, x * std::abs(1 - sign(x)) / 2);
  }
  return most;
}

// Of t, near to the prime that the first level drops.
bool near_primes(const ckks::Ciphertext& x, const ckks::Scale& scale) {
  return std::abs(scale.log2() -
                  std::log2(static_cast<double>(x.context()->modulus(x.level() - 1).value()))) < 1;
}

ckks::Ciphertext at_level(const ckks::Ciphertext& x, std::size_t level) {
  return x.level() == level ? x : ckks::drop_level(x, level);
}

void check_range(double range) {
  if (!(range > 0) || !std::isfinite(range)) fail_input("a range of {}: it must be positive", range);
}

}  // namespace

int CompositeSign::depth() const {
  int sum = 0;
  for (const ChebyshevSeries& stage : stages) sum += polynomial_depth(stage.degree());
  return sum;
}

int CompositeSign::products() const {
  int sum = 0;
  for (const ChebyshevSeries& stage : stages) sum += plan_polynomial(stage.degree(), Parity::odd).products();
  return sum;
}

double CompositeSign::operator()(double x) const {
  for (const ChebyshevSeries& stage : stages) x = stage(x);
  return x;
}

CompositeSign composite_sign(double smallest, double error) {
  if (!(smallest >= 0x1p-20 && smallest < 1) || !(error >= 0x1p-30 && error < 1)) {
    fail_input("no composite sign from {} on with error {}: at least 2^-20 and 2^-30, and below 1", smallest,
               error);
  }
  // The tables are interpolated: where that was too hopeful the end is set a little closer.
  DegreeSearch search;
  for (double end = error; end > error / 4; end *= 0.9) {
    CompositeSign sign = compose(search.best((1 - smallest) / (1 + smallest), end), smallest);
    if (sign.error <= error) return sign;
  }
  fail_input("no composite sign from {} on with error {} was found", smallest, error);
}

// Where |x| >= smallest the product is off by error / 2 at most, and below by smallest / 16 to smallest / 8, for the sign
// is concave on its way from 0 to 1. So `smallest` begins at 2^(4 - bits); for the degrees that this takes it is then moved
// to where both errors agree.
CompositeSign sign_for_relu(int bits) {
  if (bits < 2 || bits > 16) fail_input("no ReLU of {} bits: 2 to 16", bits);
  const double bound = std::ldexp(1, -bits);
  DegreeSearch search;
  std::vector<int> tried;
  for (double smallest = std::min(0.75, 16 * bound); smallest >= 4 * bound; smallest *= 0.92) {
    std::vector<int> degrees = search.best((1 - smallest) / (1 + smallest), 2 * bound);
    if (degrees == tried) continue;
    tried = std::move(degrees);
    double low = smallest / 4, high = std::min(0.9, smallest * 2);
    CompositeSign best = compose(tried, std::sqrt(low * high));
    for (int i = 0; i < 16 && high / low > 1.005; ++i) {
      (inner_error(best) > best.error / 2 ? high : low) = best.smallest;
      best = compose(tried, std::sqrt(low * high));
    }
    if (std::max(inner_error(best), best.error / 2) <= 0.999 * bound) return best;
  }
  fail_input("no ReLU of {} bits was found", bits);
}

double relu(const CompositeSign& sign, double range, double x) { return x * (1 + sign(x / range)) / 2; }

ckks::Ciphertext evaluate_half_sign(const ckks::Ciphertext& t, const CompositeSign& sign,
                                    const Target& target, const rlwe::RelinearisationKey& key) {
  AP_ASSERT(!sign.stages.empty());
  const auto depth = static_cast<std::size_t>(sign.depth());
  if (target.level < 1 || target.level + depth > t.level()) {
    fail_input("a sign takes {} levels: from {} primes it leads to no level {}", depth, t.level(),
               target.level);
  }
  const rlwe::Context& context = *t.context();
  ckks::Ciphertext x = at_level(t, target.level + depth);
  for (std::size_t k = 0; k < sign.stages.size(); ++k) {
    ChebyshevSeries stage = sign.stages[k];
    Target next = target;
    if (k + 1 < sign.stages.size()) {
      // Over the next interval's half width this is the prime that the next stage drops first.
      next.level = x.level() - static_cast<std::size_t>(polynomial_depth(stage.degree()));
      next.scale = ckks::Scale::integer(context.modulus(next.level - 1).value()) /
                   exact_scale(sign.stages[k + 1].high);
    } else {
      for (double& c : stage.coefficients) c /= 2;
    }
    x = evaluate(x, stage, next, key);
  }
  return x;
}

int relu_depth(const ckks::Ciphertext& x, const CompositeSign& sign, double range) {
  check_range(range);
  return sign.depth() + (near_primes(x, x.scale() * exact_scale(range)) ? 1 : 2);
}

ckks::Ciphertext evaluate_relu(const ckks::Ciphertext& x, const CompositeSign& sign, double range,
                               const Target& target, const rlwe::RelinearisationKey& key) {
  const auto depth = static_cast<std::size_t>(relu_depth(x, sign, range));
  if (target.level < 1 || target.level + depth > x.level()) {
    fail_input("a ReLU of range {} takes {} levels: from {} primes it leads to no level {}", range, depth,
               x.level(), target.level);
  }
  const rlwe::Context& context = *x.context();
  const ckks::Ciphertext top = at_level(x, target.level + depth);
  const ckks::Ciphertext t =
      near_primes(x, x.scale() * exact_scale(range))
          ? to_unit_interval(top, -range, range)
          : to_unit_interval(top, -range, range,
                             ckks::Scale::integer(context.modulus(top.level() - 2).value()));
  const std::size_t last = target.level + 1;
  ckks::Ciphertext half =
      evaluate_half_sign(t, sign, {last, ckks::factor_scale(context, last, x.scale(), target.scale)}, key);
  add_wide_constant(half, 0.5);
  return ckks::multiply_rescale(at_level(x, last), half, key);
}

}  // namespace ap::circuits

#include "he/circuits/evaluate_polynomial.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "he/circuits/linear_terms.h"
#include "he/rlwe/evaluate.h"

namespace ap::circuits {
namespace {

using ckks::Ciphertext;
using ckks::Scale;

// A power below this scale would keep too little of its slots.
constexpr double kLeastScaleBits = 16;

Scale prime(const rlwe::Context& context, std::size_t i) {
  return Scale::integer(context.modulus(i).value());
}

// Slots up to `size` at this scale must stay below half of the level's product.
void check_room(const rlwe::Context& context, std::size_t level, const Scale& scale, double size) {
  const double room = context.level(level).log2_q - 1, needed = scale.log2() + std::log2(std::max(1.0, size));
  if (needed > room) {
    fail_input(
        "values up to {:.4g} at the scale {} do not fit {} primes of together {:.1f} bits: ask for a lower scale or "
        "a higher level of the result",
        size, scale.text(), level, room + 1);
  }
}

// x y at `level`, of degree 2; both may have more primes.
Ciphertext product_at(const Ciphertext& x, const Ciphertext& y, std::size_t level) {
  if (x.level() != level) return product_at(ckks::drop_level(x, level), y, level);
  if (y.level() != level) return product_at(x, ckks::drop_level(y, level), level);
  return ckks::multiply(x, y);
}

void twice(Ciphertext& x) { rlwe::add(x.polynomials(), x.polynomials()); }

// A plan on its way through a polynomial's coefficients.
class Evaluation {
 public:
  Evaluation(const ChebyshevPowers& powers, const PolynomialPlan& plan) : powers_(powers), plan_(plan) {}

  // The node's polynomial at this level and scale, after relinearisation and rescaling.
  Ciphertext node(int index, std::vector<double> c, const Target& target) const {
    const rlwe::Context& context = *powers_.context();
    return rescaled_sum(
        sum(index, std::move(c), target.level + 1, target.scale * prime(context, target.level)),
        powers_.key());
  }

 private:
  // Before that.
  Ciphertext sum(int index, std::vector<double> c, std::size_t level, const Scale& scale) const {
    double size = 0;
    for (const double value : c) size += std::abs(value);
    check_room(*powers_.context(), level, scale, size);
    Ciphertext sum(rlwe::Ciphertext(powers_.context(), level), scale);
    std::vector<LinearTerm> terms;
    const auto take = [&](std::size_t above) {
      for (; c.size() > std::max<std::size_t>(1, above); c.pop_back()) {
        if (c.back() != 0) terms.push_back({&powers_[static_cast<int>(c.size() - 1)], c.back()});
      }
    };
    bool first = true;
    for (const auto& [degree, power, quotient] : plan_.nodes[static_cast<std::size_t>(index)].products) {
      take(static_cast<std::size_t>(degree) + 1);
      ChebyshevQuotient parts = divide(c, power);
      c = std::move(parts.remainder);
      const Ciphertext& giant = powers_[power];
      Ciphertext product =
          product_at(node(quotient, std::move(parts.quotient), {level, scale / giant.scale()}), giant, level);
      if (first) {
        sum = std::move(product);
      } else {
        ckks::add(sum, product);
      }
      first = false;
    }
    take(0);
    add_terms(sum, terms);
    if (!c.empty() && c[0] != 0) add_wide_constant(sum, c[0]);
    return sum;
  }

  const ChebyshevPowers& powers_;
  const PolynomialPlan& plan_;
};

void check_interval(double low, double high) {
  if (!(low < high) || !std::isfinite(high - low)) {
    fail_input("slots in [{}, {}]: the first end of an interval must be below the second", low, high);
  }
}

Ciphertext renamed(Ciphertext x, const Scale& scale) { return {std::move(x.polynomials()), scale}; }

}  // namespace

Ciphertext to_unit_interval(const Ciphertext& x, double low, double high) {
  check_interval(low, high);
  Ciphertext t = x;
  const double middle = low / 2 + high / 2;
  if (middle != 0) add_wide_constant(t, -middle);
  return renamed(std::move(t), x.scale() * exact_scale(high / 2 - low / 2));
}

Ciphertext to_unit_interval(const Ciphertext& x, double low, double high, const Scale& scale) {
  const Ciphertext t = to_unit_interval(x, low, high);
  if (t.level() < 2)
    fail_input("no level is left to bring slots in [{}, {}] to [-1, 1] at another scale", low, high);
  const std::size_t level = t.level();
  Ciphertext product(rlwe::Ciphertext(t.context(), level), scale * prime(*t.context(), level - 1));
  const LinearTerm term{&t, 1};
  add_terms(product, {&term, 1});
  return ckks::rescale(product);
}

ChebyshevPowers::ChebyshevPowers(Ciphertext t, const rlwe::RelinearisationKey& key) : key_(&key) {
  if (t.degree() != 1) fail_input("powers of a product of degree 2: relinearise it first");
  powers_.emplace(1, std::move(t));
}

void ChebyshevPowers::make(const PolynomialPlan& plan) {
  for (const PolynomialPlan::Power& power : plan.powers) {
    if (!powers_.contains(power.n)) make(power);
  }
}

const Ciphertext& ChebyshevPowers::operator[](int n) const {
  const auto at = powers_.find(n);
  AP_ASSERT(at != powers_.end());
  return at->second;
}

void ChebyshevPowers::make(const PolynomialPlan::Power& power) {
  const auto used = static_cast<std::size_t>(power_depth(power.n));
  if (used >= level()) {
    fail_input(
        "T_{} of a ciphertext of {} primes needs {} levels and one prime more: start at a higher level",
        power.n, level(), used);
  }
  const std::size_t at = level() - used + 1;  // before rescaling
  Ciphertext sum = product_at((*this)[power.left], (*this)[power.right], at);
  check_room(*context(), at, sum.scale(), 2);
  twice(sum);
  if (power.left == power.right) {
    add_wide_constant(sum, -1);
  } else {
    const LinearTerm difference{&(*this)[power.left - power.right], -1};
    add_terms(sum, {&difference, 1});
  }
  Ciphertext result = rescaled_sum(sum, *key_);
  if (result.scale().log2() < kLeastScaleBits) {
    fail_input(
        "T_{} comes out at the scale {}, which keeps too little of it: the scale of the input, {}, must be near the size "
        "of the primes that its levels drop",
        power.n, result.scale().text(), powers_.at(1).scale().text());
  }
  powers_.emplace(power.n, std::move(result));
}

Ciphertext evaluate(ChebyshevPowers& powers, const ChebyshevSeries& p, const PolynomialPlan& plan,
                    const Target& target) {
  const int degree = p.degree();
  AP_ASSERT(plan.degree == degree && (plan.parity == Parity::general || plan.parity == p.parity()));
  if (target.level < 1 || target.level + static_cast<std::size_t>(plan.depth) > powers.level()) {
    fail_input(
        "a polynomial of degree {} takes {} levels: from {} primes it leads to level {} at most, not to level {}",
        degree, plan.depth, powers.level(), static_cast<long>(powers.level()) - plan.depth, target.level);
  }
  powers.make(plan);
  const auto last = p.coefficients.begin() + degree + 1;
  return Evaluation(powers, plan).node(0, {p.coefficients.begin(), last}, target);
}

Ciphertext evaluate(ChebyshevPowers& powers, const ChebyshevSeries& p, const Target& target) {
  if (p.degree() == 0) {
    Ciphertext constant(rlwe::Ciphertext(powers.context(), target.level), target.scale);
    if (!p.coefficients.empty()) add_wide_constant(constant, p.coefficients[0]);
    return constant;
  }
  return evaluate(powers, p, plan_polynomial(p.degree(), p.parity()), target);
}

Ciphertext evaluate(const Ciphertext& x, const ChebyshevSeries& p, const Target& target,
                    const rlwe::RelinearisationKey& key) {
  return std::move(evaluate(x, std::span(&p, 1), target, key).front());
}

std::vector<Ciphertext> evaluate(const Ciphertext& x, std::span<const ChebyshevSeries> p,
                                 const Target& target, const rlwe::RelinearisationKey& key) {
  AP_ASSERT(!p.empty());
  int depth = 0;
  for (const ChebyshevSeries& one : p) {
    if (one.low != p[0].low || one.high != p[0].high) {
      fail_input("polynomials on [{}, {}] and on [{}, {}] cannot share powers: give them one interval",
                 p[0].low, p[0].high, one.low, one.high);
    }
    if (one.degree() > 0) depth = std::max(depth, polynomial_depth(one.degree()));
  }
  const std::size_t level = std::min(x.level(), target.level + static_cast<std::size_t>(depth));
  ChebyshevPowers powers(
      to_unit_interval(level == x.level() ? x : ckks::drop_level(x, level), p[0].low, p[0].high), key);
  std::vector<Ciphertext> results;
  for (const ChebyshevSeries& one : p) results.push_back(evaluate(powers, one, target));
  return results;
}

Ciphertext double_angle(const Ciphertext& y, double amplitude, const rlwe::RelinearisationKey& key) {
  if (y.level() < 2) fail_input("no level is left to double an angle");
  Ciphertext sum = ckks::multiply(y, y);
  check_room(*y.context(), y.level(), sum.scale(), 2 * amplitude * amplitude);
  twice(sum);
  add_wide_constant(sum, -amplitude * amplitude);
  return rescaled_sum(sum, key);
}

}  // namespace ap::circuits

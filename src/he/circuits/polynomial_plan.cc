#include "he/circuits/polynomial_plan.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"

namespace ap::circuits {
namespace {

constexpr int kMaxDegree = 1023;

using Powers = std::set<int>;

bool absent(Parity parity, int j) {
  return (parity == Parity::odd && j % 2 == 0) || (parity == Parity::even && j % 2 == 1);
}

Parity quotient_parity(Parity parity, int g) {
  if (parity == Parity::general || g % 2 == 0) return parity;
  return parity == Parity::odd ? Parity::even : Parity::odd;
}

// The two powers that T_n is a product of: squares if nothing else has all but fewer of what it needs.
int right_factor(const Powers& powers, int n) {
  int best = 0, least = 4;
  for (int right = n / 2; right >= 1; --right) {
    const int left = n - right;
    if (power_depth(left) >= power_depth(n)) break;
    const Powers needed{left, right, left == right ? 1 : left - right};
    const int missing = static_cast<int>(
        std::count_if(needed.begin(), needed.end(), [&](int j) { return !powers.contains(j); }));
    if (missing < least) {
      best = right;
      least = missing;
    }
  }
  return best;
}

// Adds T_n and what it is made of.
void add_power(Powers& powers, int n) {
  if (powers.contains(n)) return;
  const int right = right_factor(powers, n), left = n - right;
  add_power(powers, left);
  add_power(powers, right);
  if (left != right) add_power(powers, left - right);
  powers.insert(n);
}

// Nodes for one set of powers: the splits of fewest products, then of fewest relinearisations.
class Splits {
 public:
  struct Cost {
    int products = 0, relinearisations = 0;
    auto key() const { return std::tuple(products, relinearisations); }
  };
  static constexpr int kNever = 1 << 20;

  explicit Splits(const Powers& powers) : powers_(powers) {}

  // The polynomial's powers that are there cost nothing: the highest that is not, 0 if there is none.
  int first_missing(int degree, Parity parity, int depth) const {
    while (degree > 0 && (absent(parity, degree) || usable(degree, depth))) --degree;
    return degree;
  }
  // Of the sum, rescaled at `depth`; the relinearisation of the sum itself is the caller's to count.
  Cost cost(int degree, Parity parity, int depth) { return best(degree, parity, depth).cost; }
  // The power to divide by.
  int divisor(int degree, Parity parity, int depth) { return best(degree, parity, depth).divisor; }

 private:
  struct Choice {
    Cost cost;
    int divisor = 0;
  };
  bool usable(int n, int depth) const { return powers_.contains(n) && power_depth(n) < depth; }

  const Choice& best(int degree, Parity parity, int depth) {
    degree = first_missing(degree, parity, depth);
    const auto [at, fresh] = known_.try_emplace({degree, parity, depth});
    if (!fresh || degree == 0) return at->second;
    Choice choice{{kNever, kNever}, 0};
    for (const int g : powers_) {
      if (g > degree || power_depth(g) >= depth || polynomial_depth(degree - g) >= depth) continue;
      const Parity kind = quotient_parity(parity, g);
      const Cost quotient = cost(degree - g, kind, depth - 1), rest = cost(g - 1, parity, depth);
      const Cost sum{1 + quotient.products + rest.products,
                     (quotient.products > 0 ? 1 : 0) + quotient.relinearisations + rest.relinearisations};
      if (sum.key() < choice.cost.key()) choice = {sum, g};
    }
    return known_[{degree, parity, depth}] = choice;
  }

  const Powers& powers_;
  std::map<std::tuple<int, Parity, int>, Choice> known_;
};

int add_node(PolynomialPlan& plan, Splits& splits, int degree, Parity parity, int depth) {
  const auto index = plan.nodes.size();
  plan.nodes.push_back({degree, depth, {}});
  int left = splits.first_missing(degree, parity, depth);
  while (left > 0) {
    const int g = splits.divisor(left, parity, depth);
    const int quotient = add_node(plan, splits, left - g, quotient_parity(parity, g), depth - 1);
    plan.nodes[index].products.push_back({left, g, quotient});
    left = splits.first_missing(g - 1, parity, depth);
  }
  return static_cast<int>(index);
}

PolynomialPlan make_plan(int degree, Parity parity, const Powers& powers, int baby_steps) {
  PolynomialPlan plan{degree, parity, polynomial_depth(degree), {}, {}, baby_steps};
  Splits splits(powers);
  add_node(plan, splits, degree, parity, plan.depth);
  for (const int n : powers) {
    if (n == 1) continue;
    const int right = right_factor(powers, n);
    plan.powers.push_back({n, n - right, right});
  }
  return plan;
}

}  // namespace

int PolynomialPlan::products() const {
  std::size_t count = powers.size();
  for (const Node& node : nodes) count += node.products.size();
  return static_cast<int>(count);
}

int PolynomialPlan::relinearisations() const {
  const auto sums =
      std::count_if(nodes.begin(), nodes.end(), [](const Node& node) { return !node.products.empty(); });
  return static_cast<int>(powers.size()) + static_cast<int>(sums);
}

int PolynomialPlan::rescales() const { return static_cast<int>(powers.size() + nodes.size()); }

int power_depth(int n) {
  AP_ASSERT(n >= 1);
  return std::bit_width(static_cast<unsigned>(n - 1));
}

int polynomial_depth(int degree) { return power_depth(degree + 1); }

// Powers tried: T_1 .. T_m of the parity at hand (baby steps), and g, 2 g, 4 g, ... up to any (giant steps), with what
// these are made of. m beyond twice the square root of the degree costs more than it saves.
PolynomialPlan plan_polynomial(int degree, Parity parity) {
  if (degree < 1 || degree > kMaxDegree || absent(parity, degree)) {
    fail_input(
        "no plan for an {}polynomial of degree {}: degrees are 1 to {}, odd ones for odd polynomials and even "
        "ones for even polynomials",
        parity == Parity::odd    ? "odd "
        : parity == Parity::even ? "even "
                                 : "",
        degree, kMaxDegree);
  }
  const int depth = polynomial_depth(degree);
  std::tuple best(Splits::kNever, Splits::kNever, 0);
  Powers best_powers;
  Powers babies{1};
  for (int m = 1; m <= degree && m * m <= 8 * degree + 16; ++m) {
    if (absent(parity, m)) continue;
    add_power(babies, m);
    if (static_cast<int>(babies.size()) - 1 > std::get<0>(best)) break;
    for (int g = 2; g <= std::min(degree, 2 * m + 2); ++g) {
      if (parity == Parity::even && g % 2 == 1) continue;
      Powers powers = babies;
      for (int giant = g; giant <= degree; giant *= 2) {
        add_power(powers, giant);
        const int made = static_cast<int>(powers.size()) - 1;
        if (made > std::get<0>(best)) break;
        const Splits::Cost cost = Splits(powers).cost(degree, parity, depth);
        const std::tuple total(made + cost.products, made + cost.relinearisations, m);
        if (cost.products < Splits::kNever && total < best) {
          best = total;
          best_powers = powers;
        }
      }
    }
  }
  if (degree == 1) best_powers = {1};
  AP_ASSERT(!best_powers.empty());
  return make_plan(degree, parity, best_powers, std::max(1, std::get<2>(best)));
}

}  // namespace ap::circuits

#include "report/policy_style.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

namespace ap::report {
namespace {

struct Known {
  std::string_view name, meaning;
};
constexpr std::array<Known, kStyles - 1> kPolicies = {{
    {"delphi", "one parameter set for the network, packed for SIMD, as DELPHI"},
    {"darl", "one parameter set from tight noise bounds, packed for SIMD, as DARL"},
    {"autoprivacy", "AutoPrivacy as published: p, N, q and error rate per layer, packed for SIMD"},
    {"exact", "parameters per layer, packed by coefficients, re-sharing, no errors"},
    {"budget", "as exact, with one error budget for all layers"},
    {"dp", "as exact, error budgets per layer by dynamic programming"},
    {"ddpg", "as exact, error budgets per layer by the actor-critic agent"},
    {"greedy", "as exact, error budgets per layer by greedy search (control)"},
    {"random", "as exact, error budgets per layer at random (control)"},
}};

// "budget (out/b)" is a budget.
int index_of(std::string_view policy) {
  policy = policy.substr(0, policy.find(' '));
  for (std::size_t i = 0; i < kPolicies.size(); ++i) {
    if (kPolicies[i].name == policy) return static_cast<int>(i);
  }
  return kStyles - 1;
}

std::string polygon(int corners, double turn, double x, double y, double radius) {
  std::string path;
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * std::numbers::pi * i / corners + turn;
    path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', x + radius * std::cos(angle),
                        y + radius * std::sin(angle));
  }
  return path + "Z";
}

std::string cross(double turn, double x, double y, double radius) {
  const double a = radius * std::cos(turn), b = radius * std::sin(turn);
  return fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}M{:.1f} {:.1f}L{:.1f} {:.1f}", x - a, y - b, x + a, y + b,
                     x + b, y - a, x - b, y + a);
}

}  // namespace

std::string policy_of_today(std::string name) { return name == "published" ? "autoprivacy" : name; }

int policy_rank(std::string_view policy) { return index_of(policy); }
int policy_style(std::string_view policy) { return index_of(policy); }

std::string_view policy_meaning(std::string_view policy) {
  const auto index = static_cast<std::size_t>(index_of(policy));
  return index < kPolicies.size() ? kPolicies[index].meaning : std::string_view();
}

std::string marker_path(int style, double x, double y, double radius) {
  constexpr double kPi = std::numbers::pi;
  const double r = radius;
  switch (style) {
    case 0:
      return polygon(4, kPi / 4, x, y, r * 1.3);
    case 1:
      return polygon(3, -kPi / 2, x, y, r * 1.4);
    case 2:
      return polygon(3, kPi / 2, x, y, r * 1.4);
    case 4:
      return polygon(4, 0, x, y, r * 1.4);
    case 6:
      return polygon(5, -kPi / 2, x, y, r * 1.3);
    case 7:
      return cross(kPi / 4, x, y, r * 1.2);
    case 8:
      return cross(0, x, y, r * 1.3);
    case 9:
      return polygon(6, 0, x, y, r * 1.2);
    default:
      return fmt::format("M{0:.1f} {1:.1f}a{2} {2} 0 1 0 {3} 0a{2} {2} 0 1 0 -{3} 0Z", x - r, y, r, 2 * r);
  }
}

}  // namespace ap::report

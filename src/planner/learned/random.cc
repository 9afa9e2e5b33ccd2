#include "planner/learned/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::ddpg {

std::uint64_t Random::bits() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

std::size_t Random::index(std::size_t count) {
  AP_ASSERT(count > 0);
  return std::min(count - 1, static_cast<std::size_t>(uniform() * static_cast<double>(count)));
}

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - uniform() is never 0
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double Random::truncated_normal(double mean, double std) {
  AP_ASSERT(mean >= 0 && mean <= 1 && std >= 0);
  for (;;) {
    const double x = mean + std * normal();
    if (x >= 0 && x <= 1) return x;
  }
}

}  // namespace ap::ddpg

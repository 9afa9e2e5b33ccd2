#include "analysis/cost/simd_cost.h"

#include <cmath>

namespace ap::cost {
namespace {

SimdUnitCosts scaled(const SimdUnitCosts& costs, std::uint32_t n) {
  const double linear = n / 8192.0;
  const double stages = std::log2(static_cast<double>(n)) / 13;
  return {costs.transform_s * linear * stages,
          costs.pass_s * linear,
          costs.stream_s * linear,
          costs.move_s * linear,
          costs.encrypt_s * linear,
          costs.load_s * linear,
          costs.slots_s * linear * stages};
}

// Of a rotated ciphertext and of the sum it is added to: copies, zeros, permutations, additions.
constexpr double kMovesPerRotation = 10;

}  // namespace

SimdSeconds simd_seconds(const linear::SimdCounts& counts, const SimdRing& ring, int reply_level,
                         const SimdUnitCosts& costs) {
  const SimdUnitCosts unit = scaled(costs, ring.n);
  const double data = ring.data, special = ring.special, digits = ring.digits, level = reply_level;
  const double decompose =
      data * unit.transform_s + (digits * (data + special) - data) * (unit.transform_s + unit.pass_s);
  // Keys are far larger than the caches, as weights are.
  double apply =
      2 * digits * (data + special) * (unit.pass_s + unit.stream_s) + kMovesPerRotation * data * unit.move_s;
  if (special > 0) apply += 2 * (special + data) * unit.transform_s + 4 * data * unit.pass_s;
  const auto uploads = static_cast<double>(counts.uploads), replies = static_cast<double>(counts.replies);
  const auto plain = static_cast<double>(counts.plain_rotations);
  const auto hoisted = static_cast<double>(counts.hoisted_rotations);
  const auto products = static_cast<double>(counts.products);
  const double decompositions = plain + (hoisted > 0 ? uploads : 0);
  return {uploads * (unit.slots_s + data * unit.encrypt_s) +
              replies * (unit.slots_s + level * (unit.transform_s + unit.encrypt_s)),
          decompositions * decompose + (plain + hoisted) * apply +
              products * data * (2 * unit.pass_s + unit.stream_s) + uploads * data * unit.load_s +
              replies * (unit.slots_s + data * (6 * unit.transform_s + 6 * unit.pass_s))};
}

double simd_key_memory(const SimdRing& ring, std::uint64_t elements) {
  return 2.0 * static_cast<double>(elements) * ring.digits * (ring.data + ring.special) * ring.n *
         sizeof(std::uint64_t);
}

SimdSeconds simd_key_seconds(const SimdRing& ring, std::uint64_t elements, bool public_key,
                             const SimdUnitCosts& costs) {
  const SimdUnitCosts unit = scaled(costs, ring.n);
  const double polynomials =
      (public_key ? ring.data : 0) + static_cast<double>(elements) * ring.digits * (ring.data + ring.special);
  return {polynomials * unit.encrypt_s, polynomials * unit.load_s};
}

SimdRing ring_of(const bfv::BatchParameters& parameters) {
  const auto data = static_cast<int>(parameters.data_primes.size());
  return {parameters.n, data, static_cast<int>(parameters.special_primes.size()),
          parameters.digits == 0 ? data : static_cast<int>(parameters.digits)};
}

}  // namespace ap::cost

#include "layers/activation/square_spec.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/error.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {
namespace {

constexpr int kMaxBits = 40;
constexpr int kMaxGuardBits = 16;

/// The number of factors 2; 64 for zero.
int twos(std::int64_t v) { return std::countr_zero(static_cast<std::uint64_t>(v)); }

void check(const char* name, int value, int low, int high) {
  if (value < low || value > high)
    fail_input("quadratic layer: {} is {}, allowed are {} to {}", name, value, low, high);
}

}  // namespace

int SquareSpec::product_bits() const { return std::max(1, value_bits - 1 - twos(square)); }

void SquareSpec::validate() const {
  check("value_bits", value_bits, 2, kMaxBits);
  check("guard_bits", guard_bits, 0, kMaxGuardBits);
  check("argument_bits", argument_bits, square_argument_bits(value_bits, linear, square),
        kMaxBits - guard_bits);
  check("dropped_bits", dropped_bits, 0, value_bits - 2);
}

int square_argument_bits(int value_bits, std::int64_t linear, std::int64_t square) {
  // t + 2^n gives the same u if 2^n linear, 2^(n+1) square and 2^(2n) square vanish.
  const int of_square = value_bits - twos(square);
  return std::max({1, value_bits - twos(linear), of_square - 1, (of_square + 1) / 2});
}

SquareCost square_cost(const SquareSpec& spec, std::size_t count) {
  const int bits = spec.product_bits();
  SquareCost cost;
  cost.cots = static_cast<std::uint64_t>(bits) * mpc::tiles_of(count) * mpc::kTile;
  for (int width = 1; width <= bits; ++width) cost.offline_bytes += packed_bytes(count, width);
  cost.online_bytes = packed_bytes(count, bits);
  return cost;
}

}  // namespace ap::activation

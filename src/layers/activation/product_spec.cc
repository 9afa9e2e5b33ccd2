#include "layers/activation/product_spec.h"

#include "base/bits.h"
#include "base/error.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

void ProductSpec::validate(std::size_t count) const {
  if (value_bits < 2 || value_bits > 40)
    fail_input("product layer: value_bits is {}, allowed are 2 to 40", value_bits);
  if (dropped_bits < 0 || dropped_bits > value_bits - 2) {
    fail_input("product layer: dropped_bits is {}, allowed are 0 to {}", dropped_bits, value_bits - 2);
  }
  if (plane < 1 || count % plane != 0)
    fail_input("product layer: {} elements are not planes of {}", count, plane);
}

ProductCost product_cost(const ProductSpec& spec, std::size_t count) {
  ProductCost cost;
  cost.cots = 2 * static_cast<std::uint64_t>(spec.value_bits) * mpc::tiles_of(count) * mpc::kTile;
  for (int width = 1; width <= spec.value_bits; ++width) cost.offline_bytes += 2 * packed_bytes(count, width);
  cost.online_bytes = 2 * packed_bytes(count, spec.value_bits);
  return cost;
}

}  // namespace ap::activation

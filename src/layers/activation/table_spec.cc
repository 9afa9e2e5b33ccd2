#include "layers/activation/table_spec.h"

#include "base/error.h"

namespace ap::activation {
namespace {

void check(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high)
    fail_input("activation table: {} is {}, allowed are {} to {}", name, value, low, high);
}

}  // namespace

void TableSpec::validate(int clamp_bits) const {
  check("even", even, 0, relu);
  check("clamp_bits", clamp_bits, relu ? 2 : 1, 16);
  check("cell_bits", cell_bits, 0, clamp_bits - 1 - (even ? 1 : 0));
  check("bits of an index", index_bits(clamp_bits), 1, kMaxTableIndexBits);
  check("value_bits", value_bits, 1, kMaxTableValueBits);
  const auto count = std::int64_t{1} << index_bits(clamp_bits);
  check("number of values", static_cast<std::int64_t>(values.size()), count, count);
  for (const std::uint16_t value : values) check("a value", value, 0, (std::int64_t{1} << value_bits) - 1);
}

}  // namespace ap::activation

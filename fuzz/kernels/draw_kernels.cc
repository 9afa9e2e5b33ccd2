// Kernels that draw errors, and those of the clear convolution, against the plain ones.
#include <cmath>

#include "analysis/noise/draw_kernels.h"
#include "base/cpu.h"
#include "fuzz/support/target.h"
#include "fuzz/support/values.h"
#include "layers/linear/plaintext/clear_kernels.h"

namespace ap::fuzz {
namespace {

/// Both as numbers modulo 2^32 or 2^64.
template <typename T>
void clear_kernels(Values& values) {
  constexpr auto kBlock = static_cast<std::size_t>(linear::kRows * linear::kLanes);
  const auto depth = values.size(0, 100);
  const auto wide = values.array<std::int32_t>(depth * static_cast<std::size_t>(linear::kRows));
  const auto columns = values.array<T>(depth * static_cast<std::size_t>(linear::kLanes));
  const auto narrow = values.array<std::int16_t>(depth);
  const auto x = values.array<T>(depth), y = values.array<T>(depth), sums = values.array<T>(kBlock);
  const T weight = values.any<T>();
  std::vector<T> expected_sums, expected_y;
  T expected_dot = 0;
  for (const char* name : {"scalar", "avx2", "avx512"}) {
    const bool scalar = *name == 's';
    if (!scalar && !(name[3] == '2' ? cpu().avx2 : cpu().avx512)) continue;
    const linear::ClearKernels<T> k = linear::clear_kernels<T>(name);
    std::vector<T> s = sums, z = y;
    k.block(wide.data(), columns.data(), static_cast<std::int64_t>(depth), s.data());
    const T dot = k.dot(narrow.data(), x.data(), static_cast<std::int64_t>(depth));
    k.add_scaled(weight, x.data(), static_cast<std::int64_t>(depth), z.data());
    if (scalar) {
      expected_sums = s;
      expected_y = z;
      expected_dot = dot;
    } else {
      require(s == expected_sums && z == expected_y && dot == expected_dot, "kernels agree");
    }
  }
}

void draw_kernels(Values& values) {
  const std::size_t n = values.size(1, 300);
  const auto key = values.any<std::uint64_t>();
  std::vector<float> error_std(n);
  for (float& t : error_std)
    t = std::ldexp(static_cast<float>(values.below(1000)), static_cast<int>(values.below(40)) - 20);
  const auto start = values.array<std::int32_t>(n);
  const auto top = values.any<std::int32_t>();
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << values.below(33)) - 1);
  std::vector<std::int32_t> added, drawn;
  std::int32_t low = 0, high = 0;
  for (const noise::DrawKernels* k : noise::all_draw_kernels()) {
    std::vector<std::int32_t> a = start, u(n);
    std::int32_t least = 0, largest = 0;
    k->add_deviations(key, error_std.data(), n, a.data());
    k->uniform_below(key, top, mask, n, u.data());
    k->extremes(start.data(), n, least, largest);
    if (added.empty()) {
      added = a;
      drawn = u;
      low = least;
      high = largest;
    }
    require(a == added && u == drawn && least == low && largest == high, "kernels agree");
  }
}

void run(ByteView input) {
  Values values(input);
  switch (values.size(0, 2)) {
    case 0:
      return clear_kernels<std::uint32_t>(values);
    case 1:
      return clear_kernels<std::uint64_t>(values);
    default:
      return draw_kernels(values);
  }
}

const Register known(
    {.name = "draw_kernels", .run = run, .seeds = size_seeds, .mistakes = Mistakes::none, .max_bytes = 64});

}  // namespace
}  // namespace ap::fuzz

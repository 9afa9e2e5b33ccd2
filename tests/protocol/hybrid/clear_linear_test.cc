#include "protocol/hybrid/clear_linear.h"

#include <gtest/gtest.h>

#include "random/prng.h"

namespace ap::protocol {
namespace {

__extension__ typedef __int128 Wide;

// Against the definition with 128-bit sums; the widest prime and a fan-in that needs several limbs.
TEST(ApplyModulo, EqualsTheDefinition) {
  Prng prng(Seed{9});
  constexpr int kIn = 5000, kOut = 3;
  std::vector<std::int16_t> weights(kIn * kOut);
  for (std::int16_t& w : weights) w = static_cast<std::int16_t>(prng.next64());
  const linear::ClearConv layer({{kIn, 1, 1}, {}, 1, kOut}, weights);
  for (const std::uint64_t m : {std::uint64_t{1} << 20, std::uint64_t{1} << 39, std::uint64_t{12289},
                                (std::uint64_t{1} << 22) - 3, (std::uint64_t{1} << 40) - 87}) {
    const ShareModulus modulus(m);
    Share x(kIn);
    for (std::uint64_t& v : x) v = m - 1 - prng.next64() % (m < 100'000 ? m : 1000);
    const Share y = apply_modulo(layer, x, modulus);
    ASSERT_EQ(y.size(), static_cast<std::size_t>(kOut));
    for (std::size_t o = 0; o < y.size(); ++o) {
      Wide sum = 0;
      for (std::size_t i = 0; i < kIn; ++i) {
        sum += static_cast<Wide>(weights[o * kIn + i]) * static_cast<std::int64_t>(x[i]);
      }
      const auto wide = static_cast<Wide>(m);
      EXPECT_EQ(y[o], static_cast<std::uint64_t>((sum % wide + wide) % wide));
    }
  }
}

}  // namespace
}  // namespace ap::protocol

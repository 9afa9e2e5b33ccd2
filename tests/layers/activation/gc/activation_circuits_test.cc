#include "layers/activation/gc/activation_circuits.h"

#include <gtest/gtest.h>

#include "layers/activation/gc/garbled_sizes.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::activation {
namespace {

std::vector<std::uint8_t> bits_of(std::uint64_t value, int count) {
  std::vector<std::uint8_t> bits;
  for (int i = 0; i < count; ++i) bits.push_back((value >> i) & 1);
  return bits;
}

// Every a and b of every small shape, in the clear.
TEST(ActivationCircuits, ClampOfSumsExhaustively) {
  for (int n = 2; n <= 6; ++n) {
    for (int g = 0; g <= 2 && n + g <= 7; ++g) {
      for (int m = 1; m <= n + 1; ++m) {
        const ActivationSpec spec = plain_spec(1, n, m, m + 3, g);
        const mpc::Circuit circuit = clamp_sum_circuit(spec);
        circuit.check();
        const std::uint64_t size = std::uint64_t{1} << spec.share_bits();
        for (std::uint64_t a = 0; a < size; ++a) {
          for (std::uint64_t b = 0; b < size; ++b) {
            const std::uint64_t r = (a * 7 + b) % (1U << spec.out_bits);
            const std::uint64_t word = evaluate_plain(circuit, bits_of(a, spec.share_bits()), b, r, {});
            ASSERT_EQ(word, reference(spec, {a}, {b}, {r})[0])
                << n << " " << g << " " << m << " " << a << " " << b;
          }
        }
      }
    }
  }
}

TEST(ActivationCircuits, StagesOfPoolingExhaustively) {
  for (int n = 2; n <= 5; ++n) {
    const ActivationSpec spec = plain_spec(1, n, 2, 6, 1);
    const mpc::Circuit sum = sum_circuit(spec);
    const mpc::Circuit max = max_circuit(spec);
    const mpc::Circuit clamp = clamp_circuit(spec);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(n));
    const auto value_of = [&](std::uint64_t word) { return sum_of(plain_spec(1, n, 2, 6), word, 0); };
    for (std::uint64_t a = 0; a < (2U << n); ++a) {
      for (std::uint64_t b = 0; b < (2U << n); ++b) {
        evaluate_plain(sum, bits_of(a, n + 1), b, 0, out);
        const auto t = static_cast<std::uint64_t>(sum_of(spec, a, b));
        ASSERT_EQ(out, bits_of(t, n));
      }
    }
    for (std::uint64_t x = 0; x < (1U << n); ++x) {
      for (std::uint64_t y = 0; y < (1U << n); ++y) {
        auto both = bits_of(x, n);
        const auto second = bits_of(y, n);
        both.insert(both.end(), second.begin(), second.end());
        evaluate_plain(max, both, 0, 0, out);
        ASSERT_EQ(out, bits_of(value_of(x) >= value_of(y) ? x : y, n));
      }
      const std::uint64_t word = evaluate_plain(clamp, bits_of(x, n), 0, 5, {});
      const auto top = std::min<std::int64_t>(3, (1 << (n - 1)) - 1);
      ASSERT_EQ(word, static_cast<std::uint64_t>(std::clamp<std::int64_t>(value_of(x), 0, top) - 5) & 63);
    }
  }
}

TEST(ActivationCircuits, GateCounts) {
  // n = 13, m = 8: the carries of the low 8 bits, of which the first is half an AND; the rest is one table.
  const mpc::Circuit table = clamp_sum_circuit(plain_spec(1, 13, 8, 18));
  EXPECT_EQ(table.and_gates(), 7u);
  EXPECT_EQ(table.ciphertexts(), 15u);
  // n = 14, m = 8: 12 carries, a tree of 5 ANDs, one half AND.
  const mpc::Circuit gates = clamp_sum_circuit(plain_spec(1, 14, 8, 18));
  EXPECT_EQ(gates.and_gates(), 17u);
  EXPECT_EQ(gates.ciphertexts(), 35u);
  EXPECT_EQ(max_circuit(plain_spec(1, 13, 8, 18)).and_gates(), 26u);
}

}  // namespace
}  // namespace ap::activation

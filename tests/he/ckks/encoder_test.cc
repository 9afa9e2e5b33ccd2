#include "he/ckks/encoder.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <limits>

#include "tests/he/ckks/world.h"

namespace ap::ckks {
namespace {

using oracle::Complex;
using oracle::Vector;
using Wide = boost::multiprecision::cpp_bin_float_50;

Wide pi() { return boost::multiprecision::acos(Wide(-1)); }

Wide wide(const DoubleDouble& x) { return Wide(x.high) + Wide(x.low); }
Wide wide(ring::Int128 x) {
  return ldexp(Wide(static_cast<std::int64_t>(x >> 62)), 62) +
         Wide(static_cast<std::uint64_t>(static_cast<ring::Uint128>(x) & ((ring::Uint128{1} << 62) - 1)));
}

TEST(SpecialFft, RootsAreRightTo100Bits) {
  const std::size_t m = 65536;
  const UnitRoots roots(m);
  for (std::size_t k = 0; k < m; k += 997) {
    const Wide angle = 2 * pi() * k / m;
    EXPECT_LT(abs(wide(roots.re[k]) - cos(angle)), ldexp(Wide(1), -100));
    EXPECT_LT(abs(wide(roots.im[k]) - sin(angle)), ldexp(Wide(1), -100));
  }
}

// Coefficient k of X^k in slots z: a_k = (2/N) sum_j Re(z_j zeta^(-5^j k)), in fifty digits.
TEST(Encoder, CoefficientsAreTheExactOnesRounded) {
  constexpr std::uint32_t kN = 1024;
  const rlwe::ContextPtr context = rlwe::oracle::context({.n = kN, .data = {50, 50, 50}});
  const Encoder encoder(context);
  Prng prng(rlwe::oracle::seed(1));
  std::vector<Wide> cosine(2 * kN);
  for (std::size_t k = 0; k < 2 * kN; ++k) cosine[k] = cos(pi() * k / kN);
  for (const int bits : {20, 44, 60, 95}) {
    for (const std::size_t slots : {std::size_t{1}, std::size_t{8}, std::size_t{512}}) {
      const Vector z = oracle::random_slots(slots, 1, prng);
      const Integers integers = encoder.coefficients(z, Scale::power_of_two(bits));
      for (std::size_t k = 0; k < kN; k += slots == 512 ? 37 : 8) {
        Wide exact = 0;
        std::size_t power = 1;
        for (std::size_t j = 0; j < 512; ++j, power = power * 5 % (2 * kN)) {
          const std::size_t at = power * k % (2 * kN);
          // Re(z conj(root)) = Re z cos + Im z sin.
          exact += z[j % slots].real() * cosine[at] +
                   z[j % slots].imag() * cosine[(at + 2 * kN - kN / 2) % (2 * kN)];
        }
        exact = ldexp(exact / 512, bits);
        EXPECT_LE(abs(wide(integers[k]) - exact), Wide(0.5) + ldexp(Wide(1), -4))
            << bits << " bits, " << slots << " slots, coefficient " << k;
      }
    }
  }
}

class RoundTrip : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RoundTrip, DecodesWhatItEncodedToTheRounding) {
  const std::uint32_t n = GetParam();
  const rlwe::ContextPtr context = rlwe::oracle::context({.n = n, .data = {50, 50, 30}});
  const Encoder encoder(context);
  Prng prng(rlwe::oracle::seed(2));
  for (std::size_t slots = 1; slots <= n / 2; slots *= slots == 1 ? 2 : 16) {
    for (const int bits : {30, 45, 70}) {
      const Scale scale = Scale::power_of_two(bits);
      const Vector z = oracle::random_slots(slots, 3, prng);
      const Plaintext plaintext = encoder.encode(z, 3, scale);
      const Slots back = encoder.decode(plaintext, slots);
      // Twice `slots` coefficients, each rounded by at most a half; at 70 bits doubles are the coarser.
      const double bound =
          std::sqrt(2.0 * static_cast<double>(slots) / 12) * 8 * std::ldexp(1.0, -bits) + 0x1p-50;
      EXPECT_LT(oracle::largest(oracle::difference(back, z)), bound)
          << slots << " slots, " << bits << " bits";
      // The same values, repeated over all slots.
      const Slots all = encoder.decode(plaintext, n / 2);
      for (std::size_t j = 0; j < n / 2; j += 1 + n / 64) EXPECT_LT(std::abs(all[j] - z[j % slots]), bound);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Degrees, RoundTrip, testing::Values(1024, 8192, 65536));

TEST(Encoder, ProductsOfPolynomialsAreProductsOfSlots) {
  const rlwe::ContextPtr context = rlwe::oracle::context({.n = 2048, .data = {50, 50}});
  const Encoder encoder(context);
  Prng prng(rlwe::oracle::seed(3));
  const Scale scale = Scale::power_of_two(40);
  const Vector x = oracle::random_slots(1024, 1, prng), y = oracle::random_slots(1024, 1, prng);
  const Plaintext px = encoder.encode(x, 2, scale), py = encoder.encode(y, 2, scale);
  rlwe::Plaintext product(*context, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    rlwe::add_product(*context, i, px.polynomial().part(i), py.polynomial().part(i), product.part(i));
  }
  const Slots z = encoder.decode(Plaintext(context, product, scale * scale), 1024);
  EXPECT_LT(oracle::largest(oracle::difference(z, oracle::each(x, y, std::multiplies<>()))), 0x1p-32);
}

TEST(Encoder, RefusesWhatItCannotHold) {
  const rlwe::ContextPtr context = rlwe::oracle::context({.n = 1024, .data = {40, 40}});
  const Encoder encoder(context);
  const auto refusal = [&](Vector slots, std::size_t level, int bits) -> std::string {
    try {
      encoder.encode(slots, level, Scale::power_of_two(bits));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(Vector(512, 1.0), 2, 40), "accepted");
  const auto says = [&](const std::string& text, const char* words) {
    EXPECT_NE(text.find(words), std::string::npos) << text;
  };
  for (const std::size_t count : {std::size_t{0}, std::size_t{3}, std::size_t{1024}}) {
    says(refusal(Vector(count, 1.0), 1, 20), "slots cannot be packed");
  }
  says(refusal(Vector(512, 1.0), 3, 20), "3 primes");
  says(refusal(Vector(512, 1.0), 0, 20), "0 primes");
  says(refusal(Vector(512, 1.0), 1, 40), "do not fit");
  says(refusal(Vector(512, 1.0), 2, 105), "more than 100 bits");
  says(refusal(Vector(512, std::numeric_limits<double>::infinity()), 2, 20), "finite");
  says(refusal(Vector(512, std::numeric_limits<double>::quiet_NaN()), 2, 20), "finite");
  EXPECT_THROW(encoder.decode(encoder.encode(Vector(512, 1.0), 1, Scale::power_of_two(20)), 1024), Error);
  EXPECT_EQ(oracle::largest(encoder.decode(encoder.encode(Vector(4, 0.0), 1, Scale::power_of_two(20)), 4)),
            0);
}

}  // namespace
}  // namespace ap::ckks

#include "ring/base_convert.h"

#include <gtest/gtest.h>

#include "random/prng.h"
#include "ring/primes.h"
#include "tests/support/big.h"

namespace ap::ring {
namespace {

using ap::oracle::Big;
constexpr std::size_t kN = 16;

std::vector<Modulus> moduli(const std::vector<std::uint64_t>& primes) {
  std::vector<Modulus> result;
  for (const std::uint64_t prime : primes) result.emplace_back(prime);
  return result;
}

Big product(const std::vector<Modulus>& primes) {
  Big d = Big::of(1);
  for (const Modulus& prime : primes) d = d.times(prime.value());
  return d;
}

// A random integer below the product, by its digits in mixed radix; the last is `top` of its prime.
Big random_below(const std::vector<Modulus>& primes, double top, Prng& prng) {
  Big x = Big::of(0), weight = Big::of(1);
  for (std::size_t i = 0; i < primes.size(); ++i) {
    std::uint64_t digit = prng.next64() % primes[i].value();
    if (i + 1 == primes.size())
      digit = static_cast<std::uint64_t>(top * static_cast<double>(primes[i].value()));
    x = x.plus(weight.times(digit));
    weight = weight.times(primes[i].value());
  }
  return x;
}

// x mod q of the centred x: x - d where x is above d / 2.
std::uint64_t centred_mod(const Big& x, const Big& d, const Modulus& q) {
  return x.above(d.half()) ? q.sub(x.mod(q.value()), d.mod(q.value())) : x.mod(q.value());
}

struct Bases {
  int from_bits;
  std::size_t from_count;
  int to_bits;
};

class Conversion : public testing::TestWithParam<Bases> {
 protected:
  std::vector<Modulus> from = moduli(ntt_primes(GetParam().from_bits, 2048, GetParam().from_count));
  std::vector<Modulus> to = moduli(ntt_primes(GetParam().to_bits, 2048, 3));
  Prng prng{Seed{8}};
  // kN integers over all of (0, D), away from D / 2 by 2^-40.
  std::vector<Big> integers() {
    std::vector<Big> result;
    const double tops[] = {0, 0.1, 0.3, 0.499999, 0.500001, 0.7, 0.9, 0.999999};
    for (std::size_t j = 0; j < kN; ++j) result.push_back(random_below(from, tops[j % 8], prng));
    return result;
  }
};

TEST_P(Conversion, GivesTheCentredInteger) {
  const std::vector<Big> x = integers();
  const Big d = product(from);
  AlignedVector<std::uint64_t> residues(from.size() * kN), out(kN);
  std::vector<const std::uint64_t*> parts;
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (std::size_t j = 0; j < kN; ++j) residues[i * kN + j] = x[j].mod(from[i].value());
    parts.push_back(residues.data() + i * kN);
  }
  const BaseConverter converter(from, to);
  BaseConverter::Prepared prepared;
  converter.prepare(parts, kN, prepared);
  for (std::size_t i = 0; i < to.size(); ++i) {
    converter.output(prepared, i, out);
    for (std::size_t j = 0; j < kN; ++j) EXPECT_EQ(out[j], centred_mod(x[j], d, to[i]));
  }
}

// round(f x / D) D = f x - centred(f x mod D), checked modulo the kept primes.
TEST_P(Conversion, ScalesDownWithRounding) {
  const std::vector<Big> x = integers();
  const Big d = product(from);
  for (const std::uint64_t factor : {std::uint64_t{1}, std::uint64_t{1032193}}) {
    AlignedVector<std::uint64_t> residues(from.size() * kN), out(kN), kept(kN);
    std::vector<const std::uint64_t*> parts;
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (std::size_t j = 0; j < kN; ++j) residues[i * kN + j] = x[j].mod(from[i].value());
      parts.push_back(residues.data() + i * kN);
    }
    const ScaleDown scale(from, to, factor);
    BaseConverter::Prepared prepared;
    scale.converter.prepare(parts, kN, prepared);
    for (std::size_t i = 0; i < to.size(); ++i) {
      scale.converter.output(prepared, i, out);
      for (std::size_t j = 0; j < kN; ++j) kept[j] = x[j].mod(to[i].value());
      elementwise(to[i]).multiply_add(kept.data(), scale.kept_factor[i], out.data(), to[i], out.data(), kN);
      for (std::size_t j = 0; j < kN; ++j) {
        // f x below f D: the quotient is found by subtracting multiples of D, from the residues of a big f x.
        const Big fx = x[j].times(factor).plus(d.half());
        std::uint64_t low = 0, high = factor + 1;  // floor(fx / D) in [low, high)
        while (high - low > 1) {
          const std::uint64_t middle = (low + high) / 2;
          (d.times(middle).above(fx) ? high : low) = middle;
        }
        EXPECT_EQ(out[j], to[i].reduce(low)) << "factor " << factor;
      }
    }
  }
}

// Both sides narrow, both wide, and one of each.
INSTANTIATE_TEST_SUITE_P(Primes, Conversion,
                         testing::Values(Bases{44, 1, 50}, Bases{44, 2, 50}, Bases{44, 4, 50},
                                         Bases{44, 9, 50}, Bases{44, 20, 50}, Bases{60, 1, 59},
                                         Bases{60, 4, 59}, Bases{60, 64, 59}, Bases{59, 3, 36},
                                         Bases{36, 3, 60}, Bases{51, 20, 60}));

}  // namespace
}  // namespace ap::ring

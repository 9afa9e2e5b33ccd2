#include "he/circuits/dft.h"

#include <gtest/gtest.h>

#include <bit>

#include "he/circuits/linear_transform.h"
#include "he/ckks/special_fft.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

namespace oracle = ckks::oracle;

std::vector<Complex> bit_reversed(std::vector<Complex> x) {
  const int bits = std::countr_zero(x.size());
  std::vector<Complex> y(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    std::size_t to = 0;
    for (int b = 0; b < bits; ++b) to |= ((j >> b) & 1) << (bits - 1 - b);
    y[to] = x[j];
  }
  return y;
}

std::vector<Complex> transform(std::size_t slots, std::span<const Complex> x, bool forward) {
  const ckks::SpecialFft<double> fft(slots, ckks::UnitRoots(4 * slots));
  std::vector<double> re, im;
  for (const Complex& value : x) {
    re.push_back(value.real());
    im.push_back(value.imag());
  }
  forward ? fft.forward(re, im) : fft.inverse(re, im);
  std::vector<Complex> y(slots);
  for (std::size_t j = 0; j < slots; ++j) y[j] = {re[j], im[j]};
  return y;
}

std::vector<Complex> through(const std::vector<DiagonalMatrix>& matrices, std::vector<Complex> x) {
  for (const DiagonalMatrix& matrix : matrices) x = matrix * std::span<const Complex>(x);
  return x;
}

struct Case {
  std::size_t slots;
  std::vector<int> merged;
  std::vector<std::size_t> diagonals;  // of the matrices from slots to coefficients
};

class Dft : public testing::TestWithParam<Case> {};

TEST_P(Dft, IsTheTransformOfTheEncoder) {
  const auto& [slots, merged, diagonals] = GetParam();
  Prng prng(rlwe::oracle::seed(9));
  const oracle::Vector x = oracle::random_slots(slots, 1, prng);
  const std::vector<DiagonalMatrix> forward = slots_to_coefficients(slots, merged);
  EXPECT_LT(oracle::largest(oracle::difference(through(forward, bit_reversed(x)), transform(slots, x, true))),
            1e-11);
  const std::vector<DiagonalMatrix> back = coefficients_to_slots(slots, merged);
  EXPECT_LT(oracle::largest(oracle::difference(through(back, x), bit_reversed(transform(slots, x, false)))),
            1e-13);
  ASSERT_EQ(forward.size(), diagonals.size());
  for (std::size_t k = 0; k < diagonals.size(); ++k) {
    EXPECT_EQ(forward[k].diagonals().size(), diagonals[k]) << k;
  }
}

// Merging k butterflies gives 2^(k + 1) - 1 diagonals, but 2^k if half the slots is among their distances.
INSTANTIATE_TEST_SUITE_P(Radices, Dft,
                         testing::Values(Case{2, {1}, {2}}, Case{16, {4}, {16}},
                                         Case{16, {1, 1, 1, 1}, {3, 3, 3, 2}},
                                         Case{256, {3, 3, 2}, {15, 15, 4}}, Case{256, {4, 4}, {31, 16}},
                                         Case{1024, {2, 5, 3}, {7, 63, 8}}));

// Under encryption, full and sparse: v into the coefficients of a polynomial, and back.
TEST(DftUnderEncryption, MovesSlotsToCoefficientsAndBack) {
  oracle::World w({2048, {50, 42, 42, 42, 42, 42}, {50, 49}, 3});
  const ckks::Scale scale = ckks::Scale::power_of_two(42);
  for (const std::size_t slots : {1024, 64}) {
    const std::vector<int> merged = slots == 1024 ? std::vector<int>{5, 5} : std::vector<int>{3, 3};
    oracle::Vector x = oracle::random_slots(slots, 1, w.prng), all;
    while (all.size() < 1024) all.insert(all.end(), x.begin(), x.end());
    ckks::Ciphertext c = w.encrypt(all, scale);
    const auto apply = [&](const std::vector<DiagonalMatrix>& matrices) {
      for (const DiagonalMatrix& matrix : matrices) {
        const LinearTransform transform(w.encoder, matrix, {c.level(), scale, scale});
        c = transform.apply(c, w.rotation_keys(transform.rotations()));
      }
    };
    apply(slots_to_coefficients(slots, merged));
    // Coefficients, in bit-reversed order, are the values.
    const ckks::Integers integers =
        ckks::centred_integers(*w.context, rlwe::phase(w.key, c.polynomials()), c.level());
    const std::vector<Complex> order = bit_reversed(x);
    for (std::size_t j = 0; j < slots; ++j) {
      const std::size_t at = j * (1024 / slots);
      EXPECT_NEAR(std::ldexp(static_cast<double>(integers[at]), -42), order[j].real(), 1e-8);
      EXPECT_NEAR(std::ldexp(static_cast<double>(integers[at + 1024]), -42), order[j].imag(), 1e-8);
    }
    apply(coefficients_to_slots(slots, merged));
    EXPECT_LT(oracle::largest(oracle::difference(w.decrypt(c), all)), 1e-8);
  }
}

}  // namespace
}  // namespace ap::circuits

#include "he/circuits/linear_transform.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

using ckks::Scale;
namespace oracle = ckks::oracle;

oracle::World world() { return oracle::World({2048, {50, 40, 40, 40}, {50, 49}, 2}); }

// `count` slots, repeated over all.
oracle::Vector repeated(const oracle::Vector& slots, std::size_t all) {
  oracle::Vector result;
  while (result.size() < all) result.insert(result.end(), slots.begin(), slots.end());
  return result;
}

std::vector<Complex> dense_product(std::span<const Complex> entries, std::span<const Complex> x) {
  std::vector<Complex> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += entries[i * x.size() + j] * x[j];
  }
  return y;
}

struct Case {
  std::size_t slots;
  bool real;
  std::vector<std::size_t> diagonals;  // none: all
};

class LinearTransforms : public testing::TestWithParam<Case> {};

TEST_P(LinearTransforms, AreDenseProducts) {
  const auto& [slots, real, some] = GetParam();
  oracle::World w = world();
  // The dense matrix, with zeros on the diagonals that are not wanted.
  std::vector<Complex> entries = oracle::random_slots(slots * slots, 1, w.prng);
  for (std::size_t i = 0; i < slots; ++i) {
    for (std::size_t j = 0; j < slots; ++j) {
      Complex& entry = entries[i * slots + j];
      if (real) entry = entry.real();
      if (!some.empty() && std::ranges::find(some, (j + slots - i) % slots) == some.end()) entry = 0;
    }
  }
  const DiagonalMatrix matrix = DiagonalMatrix::dense(slots, entries);
  const oracle::Vector x = oracle::random_slots(slots, 1, w.prng);
  const std::vector<Complex> expected = dense_product(entries, x);
  EXPECT_LT(oracle::largest(oracle::difference(matrix * std::span<const Complex>(x), expected)), 1e-11);

  const Scale from = Scale::power_of_two(41), to = Scale::power_of_two(38);
  const ckks::Ciphertext encrypted = w.encrypt(repeated(x, 1024), from);
  for (const DiagonalStorage storage : {DiagonalStorage::coefficients, DiagonalStorage::values}) {
    const LinearTransform transform(w.encoder, matrix, {4, from, to, Rescaling::last_prime, storage});
    const rlwe::GaloisKeys keys = w.rotation_keys(transform.rotations());
    const ckks::Ciphertext y = transform.apply(encrypted, keys);
    EXPECT_EQ(y.level(), 3U);
    EXPECT_TRUE(y.scale() == to);
    const double bound = 0x1p-24 * std::sqrt(static_cast<double>(slots));
    EXPECT_LT(oracle::largest(oracle::difference(w.decrypt(y), repeated(expected, 1024))), bound);

    // Not rescaled, at a lower level: what remains of the division is by P alone.
    const Scale wide = Scale::power_of_two(60);
    const LinearTransform kept(w.encoder, matrix, {2, from, wide, Rescaling::none, storage});
    const ckks::Ciphertext z = kept.apply(ckks::drop_level(encrypted, 2), w.rotation_keys(kept.rotations()));
    EXPECT_EQ(z.level(), 2U);
    EXPECT_LT(oracle::largest(oracle::difference(w.decrypt(z), repeated(expected, 1024))),
              0x1p-14 * std::sqrt(static_cast<double>(slots)));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearTransforms,
                         testing::Values(Case{8, false, {}}, Case{16, true, {}}, Case{64, false, {}},
                                         Case{128, true, {0, 1, 2, 3, 127, 126, 125, 64}},
                                         Case{1024, false, {0, 32, 64, 96, 992, 960, 928}},
                                         Case{1024, true, {5}}, Case{1024, false, {0}},
                                         Case{256, false, {3, 100, 200, 17, 18, 19}}));

TEST(LinearTransform, StoresOnlyTheSubring) {
  oracle::World w = world();
  DiagonalMatrix matrix(16);
  for (std::size_t d : {0, 3, 5}) {
    for (std::size_t i = 0; i < 16; ++i) matrix.add(d, i, 1.0 + static_cast<double>(i));
  }
  const Scale scale = Scale::power_of_two(40);
  const LinearTransform lean(w.encoder, matrix, {3, scale, scale});
  EXPECT_EQ(lean.memory_bytes(), 3 * 16 * 8U);  // half of them, since the diagonals are real
  const LinearTransform ready(w.encoder, matrix,
                              {3, scale, scale, Rescaling::last_prime, DiagonalStorage::values});
  EXPECT_EQ(ready.memory_bytes(), 3 * (16 + ring::kWeightPadding) * 8 * 5U);
  matrix.add(3, 0, {0, 1});
  EXPECT_EQ(LinearTransform(w.encoder, matrix, {3, scale, scale}).memory_bytes(), 3 * 32 * 8U);
}

TEST(LinearTransform, RefusesWhatItWasNotMadeFor) {
  oracle::World w = world();
  const Scale scale = Scale::power_of_two(40);
  DiagonalMatrix matrix(16);
  EXPECT_THROW(LinearTransform(w.encoder, matrix, {3, scale, scale}), Error) << "no diagonal";
  for (std::size_t i = 0; i < 16; ++i) matrix.add(1, i, 0.5);
  EXPECT_THROW(LinearTransform(w.encoder, matrix, {1, scale, scale}), Error) << "no level to rescale";
  EXPECT_THROW(LinearTransform(w.encoder, matrix, {5, scale, scale}), Error) << "more primes than there are";
  const LinearTransform transform(w.encoder, matrix, {3, scale, scale});
  const rlwe::GaloisKeys keys = w.rotation_keys(transform.rotations()), none = w.rotation_keys({});
  const oracle::Vector x(1024, 0.25);
  const ckks::Ciphertext good = ckks::drop_level(w.encrypt(x, scale), 3);
  EXPECT_EQ(transform.apply(good, keys).level(), 2U);
  EXPECT_THROW(transform.apply(good, none), Error) << "no key";
  EXPECT_THROW(transform.apply(w.encrypt(x, scale), keys), Error) << "level";
  EXPECT_THROW(transform.apply(ckks::drop_level(w.encrypt(x, Scale::power_of_two(41)), 3), keys), Error)
      << "scale";
  DiagonalMatrix small(4);
  small.add(0, 0, 1);
  EXPECT_THROW(LinearTransform(w.encoder, small, {3, scale, scale}), Error) << "fewer than 8 slots";
}

}  // namespace
}  // namespace ap::circuits

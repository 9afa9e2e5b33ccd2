#include "he/ckks/evaluate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "he/ckks/noise.h"
#include "he/rlwe/evaluate.h"
#include "tests/he/ckks/world.h"

namespace ap::ckks {
namespace {

using oracle::Complex;
using oracle::Vector;
using rlwe::oracle::Shape;

struct Case {
  Shape shape;
  int scale_bits;
};

const std::vector<Case> kCases{
    {{.n = 1024, .data = {36, 26, 26, 26}, .special = {36}}, 26},
    {{.n = 2048, .data = {50, 40, 40, 40, 40, 40, 40}, .special = {50, 50, 50}, .digits = 3}, 40},
    {{.n = 4096, .data = {60, 55, 55, 55}, .special = {60, 60}, .digits = 2}, 55},
    {{.n = 16384, .data = {46, 45, 45, 45, 45, 45, 45, 45}, .special = {47, 47}, .digits = 4}, 45},
};

// Every operation: right slots, with the noise of the model (mean near 0, deviation within the spread of a sample).
class Operations : public testing::TestWithParam<Case> {
 protected:
  // Of results with that variance of a coefficient.
  void expect_noise(const Ciphertext& x, const Vector& slots, double variance, const char* what) {
    const Vector error = oracle::difference(world.decrypt(x), slots);
    const double expected = slot_deviation(n(), variance, x.scale());
    const double measured = std::sqrt(oracle::mean_square(error));
    // N values: a relative deviation of 1 / sqrt(2 N), and a few percent that the model leaves out.
    EXPECT_NEAR(measured / expected, 1, 0.06 + 4 / std::sqrt(2 * static_cast<double>(n())))
        << what << " at level " << x.level();
    Complex mean = 0;
    for (const Complex& e : error) mean += e / static_cast<double>(error.size());
    EXPECT_LT(std::abs(mean), 5 * expected / std::sqrt(static_cast<double>(error.size()))) << what;
  }
  std::uint32_t n() const { return GetParam().shape.n; }
  Vector random() { return oracle::random_slots(n() / 2, 1, world.prng); }
  double norm(const Vector& x) const { return norm2(oracle::mean_square(x), scale); }
  double key_switch(std::size_t level) const {
    return rlwe::key_switch_variance(world.context->parameters(), level);
  }
  double rescaled(double variance, std::size_t level) const {
    return rlwe::rescaled_variance(world.context->parameters(), variance, level, level - 1);
  }

  oracle::World world{GetParam().shape};
  std::size_t top = world.context->data();
  Scale scale = Scale::power_of_two(GetParam().scale_bits);
  double fresh = rlwe::fresh_variance() + kEncodingVariance;
};

TEST_P(Operations, EncryptionAndSums) {
  const Vector u = random(), v = random();
  const Ciphertext x = world.encrypt(u, scale), y = world.encrypt(v, scale);
  expect_noise(x, u, fresh, "fresh");
  Ciphertext z = x;
  add(z, y);
  expect_noise(z, oracle::each(u, v, std::plus<>()), sum_variance(fresh, fresh), "sum");
  z = x;
  subtract(z, y);
  expect_noise(z, oracle::each(u, v, std::minus<>()), 2 * fresh, "difference");
  negate(z);
  expect_noise(z, oracle::each(v, u, std::minus<>()), 2 * fresh, "negative");
  const Plaintext w = world.encoder.encode(v, top, scale);
  z = x;
  add_plain(z, w);
  expect_noise(z, oracle::each(u, v, std::plus<>()), fresh + kEncodingVariance, "plaintext added");
  subtract_plain(z, w);
  EXPECT_EQ(z, x);
  add_constant(z, -0.75);
  Vector shifted = u;
  for (Complex& value : shifted) value -= 0.75;
  expect_noise(z, shifted, fresh, "constant added");
  const rlwe::PublicKey public_key(world.key, world.prng);
  for (const std::size_t level : {top, std::size_t{1}}) {
    const Ciphertext p = encrypt(public_key, world.encoder.encode(u, level, scale), world.prng);
    EXPECT_EQ(p.level(), level);
    expect_noise(p, u, rlwe::public_key_variance(n()) + kEncodingVariance, "public key");
  }
}

TEST_P(Operations, PlainProductsAndRescaling) {
  const Vector u = random(), v = random();
  const Ciphertext x = world.encrypt(u, scale);
  const Vector uv = oracle::each(u, v, std::multiplies<>());
  for (const std::size_t level : {top, std::size_t{2}}) {
    const Ciphertext low = drop_level(x, level);
    expect_noise(low, u, fresh, "level dropped");
    const Ciphertext z = multiply_plain(low, world.encoder.encode(v, top, scale));
    EXPECT_EQ(z.scale(), scale * scale);
    const double product = plain_product_variance(fresh, norm(u), norm(v));
    expect_noise(z, uv, product, "plain product");
    const Ciphertext r = rescale(z);
    EXPECT_EQ(r.level(), level - 1);
    EXPECT_EQ(r.scale(), product_scale(*world.context, level, scale, scale));
    expect_noise(r, uv, rescaled(product, level), "rescaled");
    // A plaintext encoded so that the product lands on the scale asked for.
    const Scale factor = factor_scale(*world.context, level, scale, scale);
    const Ciphertext exact = rescale(multiply_plain(low, world.encoder.encode(v, level, factor)));
    EXPECT_EQ(exact.scale(), scale);
    Ciphertext sum = exact;
    add(sum, drop_level(x, level - 1));
    expect_noise(sum, oracle::each(uv, u, std::plus<>()), sum_variance(rescaled(product, level), fresh),
                 "sum of levels");
  }
  Vector half = u;
  for (Complex& value : half) value *= -1.5;
  expect_noise(multiply_constant(x, -1.5, Scale::power_of_two(4)), half, 24 * 24 * fresh, "constant");
  for (std::size_t j = 0; j < u.size(); ++j) half[j] = u[j] * Complex(0, 1);
  expect_noise(multiply_by_i(x), half, fresh, "times i");
  const Ciphertext y = world.encrypt(v, scale);
  const Plaintext pu = world.encoder.encode(u, top, scale), pv = world.encoder.encode(v, top, scale);
  const Ciphertext* const xs[] = {&x, &y};
  const Plaintext* const ps[] = {&pv, &pu};
  Ciphertext sum = multiply_plain(x, pv);
  add(sum, multiply_plain(y, pu));
  EXPECT_EQ(multiply_plain_sum(xs, ps), sum);
}

TEST_P(Operations, Products) {
  const Vector u = random(), v = random();
  const rlwe::RelinearisationKey key(world.key, world.prng);
  const Vector uv = oracle::each(u, v, std::multiplies<>());
  for (const std::size_t level : {top, top - 1, std::size_t{2}}) {
    const Ciphertext x = drop_level(world.encrypt(u, scale), level),
                     y = drop_level(world.encrypt(v, scale), level);
    const Ciphertext z = multiply(x, y);
    EXPECT_EQ(z.degree(), 2U);
    const double product = product_variance(n(), fresh, norm(u), fresh, norm(v));
    expect_noise(z, uv, product, "product");
    const Ciphertext r = relinearise(z, key);
    expect_noise(r, uv, product + key_switch(level), "relinearised");
    expect_noise(rescale(r), uv, rescaled(product + key_switch(level), level), "rescaled");
    const Ciphertext fused = multiply_rescale(x, y, key);
    EXPECT_EQ(fused.scale(), rescale(r).scale());
    EXPECT_EQ(fused.polynomials(), rlwe::relinearise_rescale(z.polynomials(), key));
    expect_noise(fused, uv, multiply_rescale_variance(world.context->parameters(), level, product), "fused");
    // Two products relinearised once.
    Ciphertext twice = z;
    add(twice, multiply(y, x));
    Vector doubled = uv;
    for (Complex& value : doubled) value *= 2;
    expect_noise(relinearise(twice, key), doubled, 4 * product + key_switch(level), "lazily relinearised");
  }
}

TEST_P(Operations, Rotations) {
  const Vector u = random();
  const std::int64_t slots = n() / 2;
  const std::vector<std::int64_t> steps{1, -3, slots / 2, 0};
  const rlwe::GaloisKeys keys = world.rotation_keys(steps);
  for (const std::size_t level : {top, std::size_t{1}}) {
    const Ciphertext x = drop_level(world.encrypt(u, scale), level);
    const std::vector<Ciphertext> hoisted = rotate(x, steps, keys);
    for (std::size_t k = 0; k < steps.size(); ++k) {
      Vector moved(u.size());
      for (std::int64_t j = 0; j < slots; ++j) {
        moved[static_cast<std::size_t>(j)] = u[static_cast<std::size_t>((j + steps[k] + slots) % slots)];
      }
      const Ciphertext y = rotate(x, steps[k], keys);
      expect_noise(y, moved, fresh + (steps[k] == 0 ? 0 : key_switch(level)), "rotated");
      EXPECT_EQ(hoisted[k], y);
    }
    Vector mirrored = u;
    for (Complex& value : mirrored) value = std::conj(value);
    expect_noise(conjugate(x, keys), mirrored, fresh + key_switch(level), "conjugated");
  }
}
INSTANTIATE_TEST_SUITE_P(Shapes, Operations, testing::ValuesIn(kCases));

TEST(LargestRing, Squares) {
  if (std::getenv("AP_SLOW") == nullptr) GTEST_SKIP() << "slow: set AP_SLOW";
  oracle::World world(
      {.n = 65536, .data = std::vector<int>(28, 46), .special = std::vector<int>(10, 47), .digits = 3});
  const Scale scale = Scale::power_of_two(45);
  const Vector u = oracle::random_slots(32768, 1, world.prng);
  const rlwe::RelinearisationKey key(world.key, world.prng);
  const Ciphertext x = world.encrypt(u, scale);
  const Vector square = oracle::each(u, u, std::multiplies<>());
  EXPECT_LT(oracle::largest(oracle::difference(world.decrypt(multiply_rescale(x, x, key)), square)), 0x1p-28);
}

TEST(Errors, AreSaidAndNothingIsSilent) {
  oracle::World world({.n = 1024, .data = {40, 30, 30}, .special = {40}});
  const Scale scale = Scale::power_of_two(30);
  const Vector u(512, 0.5);
  const Ciphertext x = world.encrypt(u, scale), other = world.encrypt(u, Scale::power_of_two(31));
  const Ciphertext low = drop_level(x, 2), bottom = drop_level(x, 1);
  const Plaintext p = world.encoder.encode(u, 3, scale), p2 = world.encoder.encode(u, 2, scale);
  const rlwe::RelinearisationKey key(world.key, world.prng);
  const std::int64_t steps[] = {1};
  const rlwe::GaloisKeys keys = world.rotation_keys(steps);
  const auto says = [](const std::function<void()>& call, const char* words) {
    try {
      call();
      ADD_FAILURE() << "accepted, without: " << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  Ciphertext z = x;
  says([&] { add(z, other); }, "scale 2^30 and of scale 2^31 cannot be added");
  says([&] { subtract(z, other); }, "cannot be added");
  says([&] { add(z, low); }, "of 3 and of 2 primes");
  says([&] { add(z, multiply(x, x)); }, "degree 1 and 2");
  says([&] { add_plain(z, world.encoder.encode(u, 3, Scale::power_of_two(29))); }, "cannot be added");
  says([&] { add_plain(z, p2); }, "a plaintext of 2 primes");
  says([&] { multiply_plain(x, p2); }, "a plaintext of 2 primes");
  says([&] { multiply_plain(multiply(x, x), p); }, "relinearised first");
  const Ciphertext* const xs[] = {&x, &other};
  const Plaintext* const ps[] = {&p, &p};
  says([&] { multiply_plain_sum(xs, ps); }, "cannot be added");
  says([&] { multiply(x, low); }, "of 3 and of 2 primes");
  says([&] { multiply(multiply(x, x), x); }, "relinearised first");
  says([&] { multiply_rescale(bottom, bottom, key); }, "level 1");
  says([&] { relinearise(x, key); }, "needs no relinearisation");
  says([&] { rescale(bottom); }, "cannot be rescaled by 1");
  says([&] { rescale(x, 3); }, "cannot be rescaled by 3");
  says([&] { drop_level(low, 3); }, "cannot be taken to 3");
  says([&] { drop_level(low, 0); }, "cannot be taken to 0");
  says([&] { rotate(x, 2, keys); }, "no Galois key");
  says([&] { rotate(multiply(x, x), 1, keys); }, "relinearised first");
  says([&] { add_constant(z, 0x1p40); }, "does not fit 62 bits");
  says([&] { multiply_constant(x, std::nan(""), scale); }, "does not fit 62 bits");
  EXPECT_EQ(z, x);
}

// Uniform noise of the stated bits over all coefficients, and a ciphertext that shares nothing with the one before.
TEST(Flooding, CoversTheNoiseWithTheStatedBits) {
  oracle::World world({.n = 2048, .data = {60, 60}});
  const Scale scale = Scale::power_of_two(80);
  const Vector u = oracle::random_slots(1024, 1, world.prng);
  const rlwe::PublicKey key(world.key, world.prng);
  Ciphertext x = world.encrypt(u, scale);
  const Ciphertext before = x;
  const int bits = flood_bits(2048, 10, 40);
  EXPECT_EQ(bits, 60);
  flood(x, key, 10, 40, world.prng);
  EXPECT_NE(x.polynomials().part(1, 0)[0], before.polynomials().part(1, 0)[0]);
  const double expected = slot_deviation(2048, std::exp2(2 * bits) / 3, scale);
  const double measured = std::sqrt(oracle::mean_square(oracle::difference(world.decrypt(x), u)));
  EXPECT_NEAR(measured / expected, 1, 0.1);
  EXPECT_THROW(flood(x, key, 80, 40, world.prng), Error);
  EXPECT_THROW(flood(x, key, std::nan(""), 40, world.prng), Error);
}

// Bytes of every wrong size and with residues at and above their primes are refused, whatever the kind.
TEST(Wire, RoundTripsAndRefusesHostileBytes) {
  oracle::World world({.n = 1024, .data = {40, 30}, .special = {40}});
  const Scale scale = Scale::power_of_two(25);
  const Vector u = oracle::random_slots(512, 1, world.prng);
  const Bytes upload = encrypt_seeded(world.encoder, world.key, u, scale, world.prng);
  EXPECT_EQ(upload.size(), rlwe::seeded_bytes(*world.context));
  const Ciphertext x = load_seeded(world.context, scale, upload);
  const Ciphertext product = multiply(x, x);
  const Bytes one = serialise(drop_level(x, 1)), two = serialise(product);
  EXPECT_EQ(load_ciphertext(world.context, 1, scale, one), drop_level(x, 1));
  EXPECT_EQ(load_ciphertext(world.context, 2, scale * scale, two, 2), product);
  const std::function<void(ByteView)> loads[] = {
      [&](ByteView bytes) { load_seeded(world.context, scale, bytes); },
      [&](ByteView bytes) { load_ciphertext(world.context, 1, scale, bytes); },
      [&](ByteView bytes) { load_ciphertext(world.context, 2, scale * scale, bytes, 2); },
  };
  const Bytes* const good[] = {&upload, &one, &two};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto refused = [&](const Bytes& bytes) {
      try {
        loads[k](bytes);
        return false;
      } catch (const Error& error) {
        return error.code() == ErrorCode::peer;
      }
    };
    EXPECT_FALSE(refused(*good[k]));
    for (const std::size_t size : {std::size_t{0}, std::size_t{31}, good[k]->size() - 1}) {
      EXPECT_TRUE(refused(Bytes(good[k]->begin(), good[k]->begin() + static_cast<std::ptrdiff_t>(size))));
    }
    Bytes longer = *good[k];
    longer.push_back(0);
    EXPECT_TRUE(refused(longer));
    for (std::size_t other = 0; other < 3; ++other) EXPECT_EQ(refused(*good[other]), other != k);
    // All ones: above every prime, in the first and in the last residue.
    for (const std::size_t at : {k == 0 ? std::size_t{32} : std::size_t{0}, good[k]->size() - 8}) {
      Bytes forged = *good[k];
      std::fill_n(forged.begin() + static_cast<std::ptrdiff_t>(at), 8, std::uint8_t{0xff});
      EXPECT_TRUE(refused(forged)) << k << " at " << at;
    }
  }
}

}  // namespace
}  // namespace ap::ckks

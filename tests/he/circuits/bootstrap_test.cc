#include "he/circuits/bootstrap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "he/ckks/encrypt.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

namespace oracle = ckks::oracle;

struct World {
  explicit World(const BootstrapParameters& parameters)
      : boot(parameters),
        key(boot.contexts().chain, prng),
        keys(boot.parameters(), boot.contexts(), key, prng) {}

  ckks::Ciphertext encrypt(const oracle::Vector& slots) {
    oracle::Vector all;
    while (all.size() < boot.encoder().max_slots()) all.insert(all.end(), slots.begin(), slots.end());
    const ckks::Scale& scale = boot.parameters().scale();
    const ckks::Ciphertext fresh = ckks::load_seeded(
        boot.contexts().chain, scale, ckks::encrypt_seeded(boot.encoder(), key, all, scale, prng));
    return ckks::drop_level(fresh, boot.parameters().input_level());
  }
  oracle::Vector decrypt(const ckks::Ciphertext& x) {
    const ckks::Slots slots = ckks::decrypt(boot.encoder(), key, x, boot.parameters().slots());
    return {slots.begin(), slots.end()};
  }
  oracle::Vector real_slots(double size) {
    oracle::Vector slots = oracle::random_slots(boot.parameters().slots(), size, prng);
    for (Complex& slot : slots) slot = slot.real();
    return slots;
  }

  Prng prng{rlwe::oracle::seed(11)};
  Bootstrapper boot;
  rlwe::SecretKey key;
  BootstrapKeys keys;
};

// Bits of the root of the mean square of the errors' real parts.
double bits(const oracle::Vector& x, const oracle::Vector& y) {
  double sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double e = (x[j] - y[j]).real();
    sum += e * e;
  }
  return -0.5 * std::log2(sum / static_cast<double>(x.size()));
}

class Bootstraps : public testing::TestWithParam<std::size_t> {};

TEST_P(Bootstraps, SlotsComeBackWithLevelsAndThePrecisionOfTheModel) {
  World w(BootstrapParameters::insecure_toy_for_tests(GetParam()));
  const BootstrapParameters& parameters = w.boot.parameters();
  const oracle::Vector slots = w.real_slots(1);
  const ckks::Ciphertext x = w.encrypt(slots);
  const ckks::Ciphertext y = w.boot(x, w.keys);
  EXPECT_EQ(y.level(), parameters.output_level());
  EXPECT_EQ(y.level(), x.level() + parameters.free_levels());
  EXPECT_TRUE(y.scale() == parameters.scale());
  const double measured = bits(w.decrypt(y), slots);
  RecordProperty("precision_bits", std::to_string(measured));
  EXPECT_NEAR(measured, parameters.precision_bits(), 2);
  // And once more, with what came out.
  const ckks::Ciphertext z = w.boot(ckks::drop_level(y, parameters.input_level()), w.keys);
  EXPECT_GT(bits(w.decrypt(z), slots), measured - 1.5);
}

INSTANTIATE_TEST_SUITE_P(Slots, Bootstraps, testing::Values(1024, 256, 64));

TEST(Bootstrap, StepsAreWhatTheySay) {
  World w(BootstrapParameters::insecure_toy_for_tests(256));
  const BootstrapParameters& parameters = w.boot.parameters();
  const oracle::Vector slots = w.real_slots(1);
  const ckks::Ciphertext low = w.boot.slots_to_coefficients(w.encrypt(slots), w.keys);
  EXPECT_EQ(low.level(), 1U);
  EXPECT_TRUE(low.scale() == parameters.coefficient_scale());
  const ckks::Ciphertext high = w.boot.coefficients_to_slots(w.boot.raise(low, w.keys), w.keys);
  EXPECT_EQ(high.level(), parameters.mod_level());
  const oracle::Vector u = w.decrypt(high);
  const double ratio = std::exp2(parameters.log2_message_ratio());
  double multiples = 0;
  for (std::size_t j = 0; j < u.size(); ++j) {
    const double multiple = std::round(u[j].real());
    EXPECT_LT(std::abs(multiple), parameters.kMultiples);
    EXPECT_NEAR((u[j].real() - multiple) * ratio, slots[j].real(), 1e-4);
    EXPECT_NEAR(u[j].imag(), 0, 1e-6);
    multiples += multiple * multiple;
  }
  const double variance = multiples / static_cast<double>(u.size());
  EXPECT_NEAR(variance / (static_cast<double>(parameters.weight() + 1) / 12), 1, 0.4);
}

TEST(Bootstrap, LosesImaginaryParts) {
  World w(BootstrapParameters::insecure_toy_for_tests(64));
  oracle::Vector slots = oracle::random_slots(64, 0.7, w.prng), real = slots;
  for (Complex& slot : real) slot = slot.real();
  EXPECT_GT(bits(w.decrypt(w.boot(w.encrypt(slots), w.keys)), real),
            w.boot.parameters().precision_bits() - 2);
}

TEST(Bootstrap, RefusesWhatIsNotAtItsLevelAndScale) {
  World w(BootstrapParameters::insecure_toy_for_tests(64));
  const ckks::Ciphertext x = w.encrypt(w.real_slots(1));
  EXPECT_THROW(w.boot(ckks::drop_level(x, 1), w.keys), Error);
  const ckks::Ciphertext other(x.polynomials(), ckks::Scale::power_of_two(41));
  EXPECT_THROW(w.boot(other, w.keys), Error);
}

TEST(BootstrapKeys, CrossTheWire) {
  World w(BootstrapParameters::insecure_toy_for_tests(64));
  const Bytes bytes = w.keys.serialise();
  const BootstrapRotations rotations(w.boot.parameters());
  const BootstrapKeyBytes size(w.boot.contexts(), rotations);
  EXPECT_EQ(bytes.size(), size.wire);
  EXPECT_GT(size.memory, size.wire);
  const BootstrapKeys keys(w.boot.parameters(), w.boot.contexts(), bytes);
  const ckks::Ciphertext x = w.encrypt(w.real_slots(1));
  EXPECT_EQ(w.boot(x, keys), w.boot(x, w.keys));
  EXPECT_THROW(BootstrapKeys(w.boot.parameters(), w.boot.contexts(), ByteView(bytes).first(bytes.size() - 1)),
               Error);
  EXPECT_THROW(BootstrapKeys(w.boot.parameters(), w.boot.contexts(), ByteView()), Error);
}

// The set named, all of it: minutes and gigabytes.
TEST(Bootstrap, SecureSetsKeepTheirWord) {
  const char* name = std::getenv("AP_SLOW");
  if (name == nullptr) GTEST_SKIP() << "set AP_SLOW=R15 (or R16, R16b) to run this";
  World w(BootstrapParameters(std::string_view(name).starts_with("R") ? name : "R15", 4096));
  const oracle::Vector slots = w.real_slots(1);
  const double measured = bits(w.decrypt(w.boot(w.encrypt(slots), w.keys)), slots);
  EXPECT_NEAR(measured, w.boot.parameters().precision_bits(), 2);
}

}  // namespace
}  // namespace ap::circuits

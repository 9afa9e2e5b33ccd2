// Packages whose plan packs for SIMD: nothing is lost on the way, and every field is checked.
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "package/network_json.h"
#include "package/package.h"
#include "tests/package/small_package.h"

namespace ap::package {
namespace {

TEST(SimdPackage, RoundTripKeepsThePlan) {
  const Package original = small_simd_package();
  const Pair pair = make_packages(original);
  for (const Bytes* file : {&pair.server, &pair.client}) {
    const plan::Plan read = parse(*file, "test.apm").plan;
    EXPECT_EQ(plan_to_json(read), plan_to_json(original.plan));
    EXPECT_EQ(read.primes, original.plan.primes);
    EXPECT_EQ(read.batch_groups, original.plan.batch_groups);
    EXPECT_TRUE(read.notes.empty());  // they state bounds of the weights
    for (std::size_t i = 0; i < read.linears.size(); ++i) {
      const plan::SimdChoice &is = *read.linears[i].simd(), &was = *original.plan.linears[i].simd();
      EXPECT_EQ(is.conv, was.conv);
      EXPECT_EQ(is.fc, was.fc);
      EXPECT_EQ(is.statistical_bits, was.statistical_bits);
      EXPECT_EQ(is.flood_bits, was.flood_bits);
      EXPECT_EQ(is.reply_level, was.reply_level);
    }
  }
}

TEST(SimdPackage, PlansWithoutBatchingAreWrittenAsBefore) {
  const Json json = plan_to_json(small_package().plan);
  for (const char* key : {"batch_groups", "primes", "notes"}) EXPECT_FALSE(json.contains(key));
  EXPECT_FALSE(json.at("linears")[0].contains("batched"));
}

struct Damage {
  const char* name;
  std::function<void(plan::Plan&)> apply;
  const char* says;  ///< part of the refusal
};

TEST(SimdPackage, EveryFieldIsChecked) {
  const std::uint64_t other = bfv::batch_primes(20, 2048, 3)[2];
  const std::vector<Damage> damages{
      {"a prime too few", [](auto& p) { p.primes.pop_back(); }, "sharing primes"},
      {"no primes", [](auto& p) { p.primes.clear(); }, "shared modulo 0"},
      {"not a prime", [](auto& p) { p.primes[0] += 2; }, "not a prime"},
      {"a wide prime", [](auto& p) { p.primes[0] = (std::uint64_t{1} << 61) - 1; }, "bits supported"},
      {"another prime than the group's", [=](auto& p) { p.primes[2] = p.primes[3] = other; },
       "encrypts modulo"},
      {"another prime than its input's", [=](auto& p) { p.primes[0] = other; }, "only an activation"},
      {"a power of two before a prime", [](auto& p) { p.primes[0] = 0; }, "only an activation"},
      {"a prime of other width", [](auto& p) { p.modulus_bits[0] = 21; }, "bits"},
      {"a prime without batching", [](auto& p) { p.linears[0].packing = plan::CoefficientChoice(); },
       "not packed for SIMD"},
      {"a group that is not there", [](auto& p) { p.linears[0].group = 2; }, "parameter group"},
      {"a negative group", [](auto& p) { p.linears[0].group = -1; }, "parameter group"},
      {"another log2 p", [](auto& p) { p.linears[0].log2_p = 21; }, "log2 p"},
      {"no flooding", [](auto& p) { p.linears[0].simd()->flood_bits = 0; }, "flood"},
      {"negative flooding", [](auto& p) { p.linears[0].simd()->flood_bits = -50; }, "flood"},
      {"too little flooding", [](auto& p) { p.linears[0].simd()->flood_bits = 40; }, "flood"},
      {"too much flooding", [](auto& p) { p.linears[0].simd()->flood_bits = 88; }, "flooding"},
      {"no statistical distance", [](auto& p) { p.linears[0].simd()->statistical_bits = 0; }, "statistical"},
      {"a reply without primes", [](auto& p) { p.linears[0].simd()->reply_level = 0; }, "reply"},
      {"a reply of negative primes", [](auto& p) { p.linears[0].simd()->reply_level = -1; }, "reply"},
      {"a reply of too many primes", [](auto& p) { p.linears[0].simd()->reply_level = 4; }, "reply"},
      {"an odd degree", [](auto& p) { p.batch_groups[0].n = 2047; }, "degree"},
      {"a huge degree", [](auto& p) { p.batch_groups[0].n = 1U << 31; }, "degree"},
      {"no ciphertext primes", [](auto& p) { p.batch_groups[0].data_primes.clear(); }, "primes"},
      {"many ciphertext primes", [](auto& p) { p.batch_groups[0].data_primes.resize(1000, 1); }, "primes"},
      {"a wide ciphertext prime", [](auto& p) { p.batch_groups[0].data_primes[0] = 1152921504606830593; },
       "50"},
      {"an even ciphertext prime", [](auto& p) { ++p.batch_groups[0].data_primes[0]; }, "prime"},
      {"a ciphertext prime twice",
       [](auto& p) { p.batch_groups[0].data_primes[1] = p.batch_groups[0].data_primes[0]; }, "twice"},
      {"two plaintext primes", [=](auto& p) { p.batch_groups[0].plain_primes.push_back(other); },
       "plaintext primes"},
      {"many digits", [](auto& p) { p.batch_groups[0].digits = 5; }, "digits"},
      {"many groups", [](auto& p) { p.batch_groups.resize(100, p.batch_groups[0]); }, "groups"},
      {"transfers over a prime", [](auto& p) { p.activations[0].protocol = "ot"; }, "use gc"},
      {"a local truncation", [](auto& p) { p.activations[0].truncation.guard_bits = 0; }, "guard bits"},
      {"another width of the sum", [](auto& p) { --p.activations[0].truncation.sum_bits; }, "sum"},
      {"another width of the output", [](auto& p) { p.activations[0].out_bits = 21; }, "output"},
  };
  const Package good = small_simd_package();
  EXPECT_NO_THROW(plan::validate(good.plan, good.network));
  for (const Damage& damage : damages) {
    plan::Plan plan = good.plan;
    damage.apply(plan);
    try {
      plan::validate(plan, good.network);
      ADD_FAILURE() << damage.name << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input) << damage.name;
      EXPECT_NE(std::string(e.what()).find(damage.says), std::string::npos)
          << damage.name << ": " << e.what();
    }
  }
}

// A dense layer of thousands of channels: products are counted before memory is taken.
TEST(SimdPackage, RefusesLayersOutOfProportion) {
  Package package = small_simd_package();
  nn::QLinear conv;
  conv.in_shape = {4096, 4, 4};
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.window.pad = {1, 1, 1, 1};
  package.network.nodes[1].op = conv;
  package.network.nodes[1].shape = {4096, 4, 4};
  package.network.nodes[0].shape = {4096, 4, 4};
  try {
    plan::validate(package.plan, package.network);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("more than the"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace ap::package

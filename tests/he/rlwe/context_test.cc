#include "he/rlwe/context.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

Parameters valid() { return {1024, primes(26, 1024, 3), primes(27, 1024, 1), 2}; }

std::string refusal(auto change) {
  Parameters parameters = valid();
  change(parameters);
  try {
    const Context context(parameters);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  return "accepted";
}

TEST(RlweContext, RefusesWhatItCannotServeAndNamesIt) {
  EXPECT_EQ(refusal([](auto&) {}), "accepted");
  const auto says = [](auto change, const char* words) {
    EXPECT_NE(refusal(change).find(words), std::string::npos) << refusal(change);
  };
  for (const std::uint32_t n : {0U, 512U, 1025U, 131072U}) says([=](auto& p) { p.n = n; }, "ring degree");
  says([](auto& p) { p.data_primes.clear(); }, "0 primes");
  says([](auto& p) { p.data_primes.assign(65, 12289); }, "65 primes");
  says([](auto& p) { p.special_primes.assign(65, 12289); }, "65 special primes");
  says([](auto& p) { p.data_primes[1] = p.data_primes[0]; }, "twice");
  says([](auto& p) { p.special_primes[0] = p.data_primes[0]; }, "twice");
  says([](auto& p) { p.data_primes[0] += 2; }, "not 1 modulo 2048");
  says([](auto& p) { p.data_primes[0] = 2048 * 7 + 1; }, "not a prime");  // 14337 = 3^5 59
  says([](auto& p) { p.data_primes[0] = (std::uint64_t{1} << 60) + 1; }, "61 bits");
  says([](auto& p) { p.digits = 4; }, "4 digits");
  EXPECT_THROW(free_primes(61, 1024, 1), Error);
  EXPECT_THROW(free_primes(12, 1024, 1), Error);
  EXPECT_THROW(free_primes(30, 1000, 1), Error);
  EXPECT_THROW(free_primes(30, 1024, 65), Error);
  EXPECT_THROW(primes(14, 4096, 3), Error);
}

TEST(RlweContext, PrimesAreTheLargestThatAreFree) {
  const std::vector<std::uint64_t> first = primes(60, 65536, 3);
  EXPECT_LT(first[0], std::uint64_t{1} << 60);
  for (const std::uint64_t prime : first) EXPECT_EQ(prime % 131072, 1U);
  EXPECT_EQ(primes(60, 65536, 2, std::vector{first[0]}), (std::vector{first[1], first[2]}));
}

TEST(RlweContext, GroupsThePrimesIntoDigits) {
  const ContextPtr context = oracle::context(
      {.n = 1024, .data = {20, 21, 22, 23, 24, 25, 26}, .special = {30, 30, 30}, .digits = 3});
  EXPECT_EQ(context->parameters().digit_primes(), 3U);
  ASSERT_EQ(context->digits(), 3U);
  const std::size_t counts[][3] = {{1}, {2}, {3}, {3, 1}, {3, 2}, {3, 3}, {3, 3, 1}};
  for (std::size_t level = 1; level <= 7; ++level) {
    const Level& here = context->level(level);
    EXPECT_EQ(here.digits.size(), (level + 2) / 3);
    for (std::size_t d = 0; d < here.digits.size(); ++d) {
      EXPECT_EQ(here.digits[d].first, 3 * d);
      EXPECT_EQ(here.digits[d].count, counts[level - 1][d]);
      EXPECT_EQ(here.digits[d].extend.outputs(), level - counts[level - 1][d] + 3);
    }
  }
  EXPECT_NEAR(context->level(7).log2_q, context->parameters().log2_q(), 1e-9);
  EXPECT_NEAR(context->parameters().log2_qp() - context->parameters().log2_q(), 90, 1e-3);
}

}  // namespace
}  // namespace ap::rlwe

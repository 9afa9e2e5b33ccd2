#include "he/bfv/context.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "he/bfv/context_tables.h"

namespace ap::bfv {
namespace {

TEST(Context, AcceptsThePlannedShapes) {
  for (const auto& [n, bits, count] :
       {std::tuple{1024u, 26, 1}, {2048u, 53, 1}, {4096u, 50, 2}, {8192u, 40, 3}}) {
    const Parameters wanted{n, ntt_primes(bits, n, static_cast<std::size_t>(count))};
    const ContextPtr context = make_context(wanted);
    EXPECT_EQ(parameters(*context), wanted);
    EXPECT_NEAR(wanted.log2_q(), bits * count, 0.1);
    EXPECT_EQ(context->q_bits(), bits * count);
  }
}

TEST(Context, RefusesEverythingElseAndSaysWhy) {
  const std::uint64_t good = ntt_primes(50, 4096, 1).at(0);
  const auto message = [](const Parameters& p) {
    try {
      make_context(p);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input);
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
  };
  EXPECT_TRUE(has(message({512, {12289}}), "ring degree"));
  EXPECT_TRUE(has(message({3000, {good}}), "3000"));
  EXPECT_TRUE(has(message({4096, {}}), "at least one"));
  EXPECT_TRUE(has(message({4096, {good, good}}), "twice"));
  EXPECT_TRUE(has(message({4096, {good + 2}}), "modulo 8192"));
  EXPECT_TRUE(has(message({4096, {40961}}), "16 bits"));
  EXPECT_TRUE(has(message({4096, {(1ULL << 61) + 1}}), "62 bits"));
  EXPECT_TRUE(has(message({4096, {(1ULL << 30) + 8192 * 3 + 1 + 8192}}), "not a prime"));
  EXPECT_TRUE(has(message({4096, ntt_primes(60, 4096, 3)}), "at most 120"));
}

TEST(Context, PrimesRunOutWithAMessage) {
  EXPECT_THROW(ntt_primes(20, 8192, 1000), Error);
  EXPECT_THROW(ntt_primes(19, 1024, 1), Error);
  EXPECT_THROW(ntt_primes(61, 1024, 1), Error);
  EXPECT_THROW(ntt_primes(40, 1000, 1), Error);
}

}  // namespace
}  // namespace ap::bfv

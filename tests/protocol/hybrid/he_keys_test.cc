// Nobody gets keys under parameters that are too weak, however they came by the package.
#include "protocol/hybrid/he_keys.h"
#include "he/rlwe/polynomial.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "security/limits.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

ErrorCode refusal(const HeGroups& groups) {
  try {
    ClientKeys(groups, rlwe::ErrorSource::centred_binomial);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(ClientKeys, CoefficientGroupsNeedTheirBits) {
  HeGroups groups;
  for (const int bits : {26, 53}) {
    bfv::Parameters p;
    p.n = bits == 26 ? 1024 : 2048;
    p.primes = bfv::ntt_primes(bits, p.n, 1);
    ASSERT_LE(p.log2_q(), security::max_log2_q(p.n));
    groups.coefficient.push_back(bfv::make_context(p));
  }
  EXPECT_NO_THROW(ClientKeys(groups, rlwe::ErrorSource::centred_binomial));
  bfv::Parameters weak;
  weak.n = 1024;
  weak.primes = bfv::ntt_primes(60, weak.n, 1);
  groups.coefficient.push_back(bfv::make_context(weak));  // the last of three: every group is looked at
  EXPECT_EQ(refusal(groups), ErrorCode::security);
  EXPECT_NO_THROW(ClientKeys(groups, rlwe::ErrorSource::centred_binomial, WeakParameters::allow_for_tests));
}

/// Rotation keys are published modulo q P, so it is q P that must be narrow enough.
TEST(ClientKeys, SpecialPrimesCount) {
  bfv::BatchParameters p;
  p.n = 4096;
  p.plain_primes = bfv::batch_primes(20, p.n, 1);
  p.data_primes = bfv::batch_primes(50, p.n, 2);
  ASSERT_LE(p.log2_qp(), security::max_log2_q(p.n));
  HeGroups groups;
  groups.batch.push_back({bfv::make_batch_context(p), {3}});
  EXPECT_NO_THROW(ClientKeys(groups, rlwe::ErrorSource::centred_binomial));
  p.special_primes = bfv::batch_primes(50, p.n, 1, p.data_primes);
  groups.batch[0].context = bfv::make_batch_context(p);
  EXPECT_EQ(refusal(groups), ErrorCode::security);
}

/// A program that uses the library alone, without the command line's audit of the package.
TEST(ClientKeys, NoSessionBeginsUnderWeakParameters) {
  const nn::QuantisedNetwork network = test::small_network();
  const package::Package package =
      test::packaged(network, test::simd_plan(network, plan::select_exact(network)));
  const Model model(package.network, package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  try {
    ClientSession session(model, package.id, *client_end);
    FAIL() << "a session began";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::security);
    EXPECT_NE(std::string(error.what()).find("bits of security"), std::string::npos) << error.what();
  }
  EXPECT_EQ(client_end->traffic().messages_sent, 0U);
}

}  // namespace
}  // namespace ap::protocol

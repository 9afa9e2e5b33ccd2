#include "layers/activation/ot/ot_step.h"

#include <gtest/gtest.h>

#include "layers/activation/ot/ot_messages.h"
#include "tests/mpc/two_parties.h"

namespace ap::activation {
namespace {

/// Both parties' shares of one step's results, from fresh sessions.
std::vector<std::uint64_t> run_step(const OtStep& step, const std::vector<std::uint64_t>& x,
                                    const std::vector<std::uint64_t>& y) {
  mpc::ChannelPair channels;
  std::vector<std::uint64_t> client(step.count);
  std::vector<std::uint64_t> server(step.count);
  mpc::run_two(
      channels,
      [&] {
        Prng prng(mpc::test_seed(70), 1);
        mpc::SilentCotSender sender(*channels.client, kClientSends, mpc::test_session(), prng);
        mpc::SilentCotReceiver receiver(*channels.client, kServerSends, mpc::test_session(), prng);
        mpc::RandomOtSender sent(*channels.client, sender);
        mpc::RandomOtReceiver received(*channels.client, receiver);
        ClientStepPreprocessing material = draw_client_received(step, received);
        draw_client_sent(step, sent, material);
        run_client_step(*channels.client, step, material, y, client);
      },
      [&] {
        Prng prng(mpc::test_seed(70), 2);
        mpc::SilentCotReceiver receiver(*channels.server, kClientSends, mpc::test_session(), prng);
        mpc::SilentCotSender sender(*channels.server, kServerSends, mpc::test_session(), prng);
        mpc::RandomOtReceiver received(*channels.server, receiver);
        mpc::RandomOtSender sent(*channels.server, sender);
        ServerStepPreprocessing material = draw_server_sent(step, sent);
        draw_server_received(step, received, material);
        run_server_step(*channels.server, step, material, x, server);
      });
  for (std::size_t i = 0; i < step.count; ++i)
    client[i] = (client[i] + server[i]) & ((1ULL << step.ring) - 1);
  return client;
}

// Terms with any factor, odd, even or half the ring, and an operand that is not the compared part.
TEST(OtStep, OperandAndTermsEnterWithTheirFactors) {
  Prng prng(mpc::test_seed(71));
  OtStep step;
  step.program = comparison_program(1, 5, 3, 3, true);
  step.count = 3001;
  step.operand_shift = 2;
  step.operand_bits = 20;
  step.ring = 23;
  step.terms = {{step.program.above, 7, 1, 22},
                {step.program.wrapped, 1U << 20, 21, 2},
                {step.program.carried, 1U << 22, 0, 0}};
  std::vector<std::uint64_t> x(step.count);
  std::vector<std::uint64_t> y(step.count);
  sample_bits(prng, 30, x);
  sample_bits(prng, 30, y);
  const std::vector<std::uint64_t> results = run_step(step, x, y);
  for (std::size_t i = 0; i < step.count; ++i) {
    const std::uint64_t sum = (x[i] + y[i]) % 512;
    const bool in_range = sum < 64;
    std::uint64_t expected = in_range ? (x[i] >> 2) % (1U << 20) + (y[i] >> 2) % (1U << 20) : 0;
    if (!in_range && sum < 256) expected += 7;
    if (in_range && x[i] % 64 + y[i] % 64 >= 64) expected += 1U << 20;
    if (in_range && (x[i] & y[i] & 1)) expected += 1U << 22;
    ASSERT_EQ(results[i], expected % (1U << 23)) << i;
  }
}

}  // namespace
}  // namespace ap::activation

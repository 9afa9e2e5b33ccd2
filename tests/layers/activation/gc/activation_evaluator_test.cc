#include "layers/activation/gc/activation_evaluator.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/messages.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {
namespace {

template <typename Body>
ErrorCode code_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(ActivationEvaluator, MaterialServesOnceOnBothSides) {
  mpc::ChannelPair channels;
  const ActivationSpec spec = plain_spec(3, 5, 3, 8);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(40), 1));
        GarblerPreprocessing material = garbler.garble(spec, words, words);
        EXPECT_FALSE(material.empty());
        garbler.answer(std::move(material));
        EXPECT_TRUE(material.empty());
        EXPECT_EQ(code_of([&] { garbler.answer(std::move(material)); }), ErrorCode::security);
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(40), 2));
        EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
        EXPECT_EQ(code_of([&] {
                    evaluator.request(material, std::vector<std::uint64_t>{1, 2});
                  }),
                  ErrorCode::input);
        EXPECT_EQ(code_of([&] {
                    evaluator.request(material, std::vector<std::uint64_t>{1, 2, 32});
                  }),
                  ErrorCode::input);
        evaluator.request(material, words);
        EXPECT_EQ(code_of([&] { evaluator.request(material, words); }), ErrorCode::security);
        EXPECT_EQ(evaluator.evaluate(std::move(material)), reference(spec, words, words, words));
        EXPECT_TRUE(material.empty());
        EXPECT_EQ(code_of([&] { evaluator.evaluate(std::move(material)); }), ErrorCode::security);
        EXPECT_EQ(code_of([&] { evaluator.request(material, words); }), ErrorCode::security);
      });
}

TEST(ActivationEvaluator, EvaluationNeedsARequest) {
  mpc::ChannelPair channels;
  const ActivationSpec spec = plain_spec(3, 5, 3, 8);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(41), 1));
        garbler.garble(spec, words, words);
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(41), 2));
        EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
        EXPECT_EQ(code_of([&] { evaluator.evaluate(std::move(material)); }), ErrorCode::security);
      });
}

// A peer whose message has a byte too few or too many, or another type, is an error of the peer, never a
// crash.
TEST(ActivationEvaluator, WrongSizesAreRefused) {
  const ActivationSpec spec = plain_spec(3, 5, 3, 8);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  for (const int off : {-1, 1}) {
    const auto wrong = [&](std::uint64_t bytes) { return Bytes(bytes + static_cast<std::uint64_t>(off)); };
    {
      mpc::ChannelPair channels;
      mpc::run_two(
          channels,
          [&] {
            ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(42), 1));
            channels.client->send(kGarbledTables, wrong(table_bytes(spec)));
          },
          [&] {
            ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(42), 2));
            PreparedChoices prepared = evaluator.prepare(spec);
            EXPECT_EQ(code_of([&] { evaluator.receive_tables(std::move(prepared)); }), ErrorCode::peer);
          });
    }
    {
      mpc::ChannelPair channels;
      mpc::run_two(
          channels,
          [&] {
            ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(43), 1));
            const GarblerPreprocessing material = garbler.garble(spec, words, words);
            channels.client->send(kInputLabels, wrong(label_bytes(spec)));
          },
          [&] {
            ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(43), 2));
            EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
            evaluator.request(material, words);
            EXPECT_EQ(code_of([&] { evaluator.evaluate(std::move(material)); }), ErrorCode::peer);
          });
    }
    {
      mpc::ChannelPair channels;
      mpc::run_two(
          channels,
          [&] {
            ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(44), 1));
            GarblerPreprocessing material = garbler.garble(spec, words, words);
            EXPECT_EQ(code_of([&] { garbler.answer(std::move(material)); }), ErrorCode::peer);
          },
          [&] {
            ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(44), 2));
            evaluator.receive_tables(evaluator.prepare(spec));
            channels.server->send(kInputChoices, wrong(choice_bytes(spec)));
          });
    }
  }
}

TEST(ActivationEvaluator, ChoicesHideTheShares) {
  // d = a xor c: with a = 0 everywhere and with a = all ones the bits sent are balanced.
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{0x1fff}}) {
    mpc::ChannelPair channels;
    const ActivationSpec spec = plain_spec(4096, 13, 8, 18);
    const std::vector<std::uint64_t> zeros(spec.inputs, 0);
    const std::vector<std::uint64_t> a(spec.inputs, value);
    mpc::run_two(
        channels,
        [&] {
          ActivationGarbler garbler(*channels.client, mpc::test_session());
          garbler.garble(spec, zeros, zeros);
          const Bytes sent = channels.client->receive_exactly(kInputChoices, choice_bytes(spec));
          std::int64_t ones = 0;
          for (const std::uint8_t byte : sent) ones += __builtin_popcount(byte);
          EXPECT_LT(std::abs(ones - 4096 * 13 / 2), 6 * 116);  // six standard deviations
        },
        [&] {
          ActivationEvaluator evaluator(*channels.server, mpc::test_session());
          EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
          evaluator.request(material, a);
        });
  }
}

}  // namespace
}  // namespace ap::activation

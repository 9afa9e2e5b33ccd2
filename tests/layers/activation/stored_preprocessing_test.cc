// Material of a layer, written by each party and read back in a session of its own without base OTs.
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "layers/activation/ot/ot_activation.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {
namespace {

struct Halves {
  SecretBytes client, server;
};

Halves garbled(const TestLayer& layer) {
  mpc::ChannelPair channels;
  Halves halves;
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(1), 1));
        SecretWriter out;
        garbler.garble(layer.spec, layer.b, layer.r).save(out);
        halves.client = out.take();
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(1), 2));
        SecretWriter out;
        evaluator.receive_tables(evaluator.prepare(layer.spec)).save(out);
        halves.server = out.take();
      });
  return halves;
}

Halves transferred(const ActivationSpec& spec) {
  mpc::ChannelPair channels;
  Halves halves;
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient client(*channels.client, mpc::test_session(), Prng(mpc::test_seed(2), 1));
        SecretWriter out;
        client.prepare(spec).save(out);
        halves.client = out.take();
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session(), Prng(mpc::test_seed(2), 2));
        SecretWriter out;
        server.prepare(spec).save(out);
        halves.server = out.take();
      });
  return halves;
}

ActivationSpec pooled(ActivationSpec spec, Prng& prng) {
  spec.outputs = 50;
  spec.pool_size = 5;
  for (std::size_t i = 0; i < spec.outputs * spec.pool_size; ++i)
    spec.windows.push_back(static_cast<std::uint32_t>(prng.next64() % spec.inputs));
  return spec;
}

/// Restored from all bytes but the last, and from one too many.
void expect_exact_size(const SecretBytes& bytes, const std::function<void(ByteReader&)>& restore) {
  ByteReader short_reader(ByteView(bytes).first(bytes.size() - 1), "a stored layer");
  EXPECT_THROW(restore(short_reader), Error);
  ByteReader whole(bytes, "a stored layer");
  restore(whole);
  whole.expect_end();
}

TEST(StoredPreprocessing, OfGarblingServesAnotherSession) {
  Prng prng(mpc::test_seed(3));
  const ActivationSpec plain = plain_spec(300, 17, 8, 20, 3);
  for (const ActivationSpec& spec : {plain, pooled(plain, prng), with_primes(plain, 12289, 7681)}) {
    TestLayer layer = random_layer(spec, prng);
    const Halves halves = garbled(layer);
    expect_exact_size(halves.client, [&](ByteReader& in) { GarblerPreprocessing::restore(spec, in); });
    expect_exact_size(halves.server, [&](ByteReader& in) { EvaluatorPreprocessing::restore(spec, in); });
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          ByteReader in(halves.client, "half");
          GarblerPreprocessing material = GarblerPreprocessing::restore(spec, in);
          ActivationGarbler::answer(*channels.client, std::move(material));
          SecretWriter out;
          EXPECT_THROW(material.save(out), Error) << "used";
        },
        [&] {
          ByteReader in(halves.server, "half");
          EvaluatorPreprocessing material = EvaluatorPreprocessing::restore(spec, in);
          ActivationEvaluator::request(*channels.server, material, layer.a);
          SecretWriter out;
          EXPECT_THROW(material.save(out), Error) << "half used";
          layer.result = ActivationEvaluator::evaluate(*channels.server, std::move(material));
        });
    EXPECT_EQ(layer.result, reference(spec, layer.a, layer.b, layer.r));
  }
}

TEST(StoredPreprocessing, OfTransfersServesAnotherSession) {
  Prng prng(mpc::test_seed(4));
  const ActivationSpec plain = plain_spec(300, 17, 8, 20, 3);
  for (const ActivationSpec& spec : {plain, pooled(plain, prng), plain_spec(129, 12, 16, 37)}) {
    TestLayer layer = random_layer(spec, prng);
    const Halves halves = transferred(spec);
    expect_exact_size(halves.client, [&](ByteReader& in) { OtClientPreprocessing::restore(spec, in); });
    expect_exact_size(halves.server, [&](ByteReader& in) { OtServerPreprocessing::restore(spec, in); });
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          ByteReader in(halves.client, "half");
          OtClientPreprocessing material = OtClientPreprocessing::restore(spec, in);
          OtActivationClient::run(*channels.client, std::move(material), layer.b, layer.r);
          SecretWriter out;
          EXPECT_THROW(material.save(out), Error) << "used";
        },
        [&] {
          ByteReader in(halves.server, "half");
          layer.result =
              OtActivationServer::run(*channels.server, OtServerPreprocessing::restore(spec, in), layer.a);
        });
    EXPECT_EQ(layer.result, reference(spec, layer.a, layer.b, layer.r));
  }
}

}  // namespace
}  // namespace ap::activation

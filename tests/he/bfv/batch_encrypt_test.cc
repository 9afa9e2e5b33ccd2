#include <gtest/gtest.h>

#include "he/bfv/batch_noise.h"
#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

using oracle::Slots;

const std::vector<oracle::BatchShape> kShapes{
    {.n = 2048, .plain = {14}, .data = {50}},
    {.n = 2048, .plain = {16}, .data = {27}, .special = {26}},
    {.n = 4096, .plain = {22}, .data = {36, 36}, .special = {37}},
    {.n = 4096, .plain = {16, 17, 18}, .data = {44, 45}},
    {.n = 8192, .plain = {28, 29}, .data = {43, 43, 44, 44}, .special = {44}},
    {.n = 8192, .plain = {50}, .data = {49, 50, 50}},
};

TEST(BatchEncrypt, RoundTripsWithTheNoiseOfTheModel) {
  Prng prng(Seed{11});
  for (const oracle::BatchShape& shape : kShapes) {
    const BatchContextPtr context = oracle::batch_context(shape);
    const rlwe::SecretKey key(context, prng);
    Slots slots = oracle::random_slots(*context, prng);
    slots[0] = context->p().value() - 1;
    slots[1] = 0;
    const rlwe::Ciphertext x = oracle::encrypt(context, key, slots, prng);
    EXPECT_EQ(oracle::decrypt(*context, key, x), slots);
    const double variance = oracle::variance_of(measure_noise(*context, key, x, slots));
    EXPECT_NEAR(variance / fresh_variance(), 1, 0.1);
  }
}

// The largest parameters: 20 data primes, products below the limit of the arithmetic everywhere.
TEST(BatchEncrypt, LargestRing) {
  Prng prng(Seed{12});
  oracle::BatchShape shape{.n = 32768, .plain = {20}, .data = std::vector<int>(19, 43), .special = {44}};
  const BatchContextPtr context = oracle::batch_context(shape);
  const rlwe::SecretKey key(context, prng);
  const Slots slots = oracle::random_slots(*context, prng);
  EXPECT_EQ(oracle::decrypt(*context, key, oracle::encrypt(context, key, slots, prng)), slots);
}

TEST(BatchEncrypt, DecryptsRightUpToTheStatedNoise) {
  Prng prng(Seed{13});
  const BatchContextPtr context = oracle::batch_context({.n = 2048, .plain = {20}, .data = {43, 44, 44}});
  const rlwe::SecretKey key(context, prng);
  const Slots slots = oracle::random_slots(*context, prng);
  const std::uint64_t p = context->p().value();
  oracle::Big q = oracle::Big::of(1);
  for (const std::uint64_t prime : context->parameters().data_primes) q = q.times(prime);
  for (const std::uint64_t part : {255U, 259U}) {  // of q / 2p in units of 2^-8
    // floor(q part / 512 p) by long division over the words.
    oracle::Big noise = q.times(part);
    ring::Uint128 rest = 0;
    for (std::size_t i = noise.words.size(); i-- > 0;) {
      rest = (rest << 32) | noise.words[i];
      noise.words[i] = static_cast<std::uint32_t>(rest / (512 * p));
      rest %= 512 * p;
    }
    for (const bool negative : {false, true}) {
      rlwe::Ciphertext x(context, 3);
      add_plain(*context, x, slots);
      for (std::size_t i = 0; i < 3; ++i) {
        const ring::Modulus& prime = context->modulus(i);
        const std::uint64_t residue = noise.mod(prime.value());
        AlignedVector<std::uint64_t> constant(context->n());
        constant[0] = negative ? prime.negate(residue) : residue;
        context->tables(i).forward(constant);
        ring::elementwise().add(x.part(0, i).data(), constant.data(), prime.value(), x.part(0, i).data(),
                                context->n());
      }
      EXPECT_EQ(oracle::decrypt(*context, key, x) == slots, part < 256);
    }
  }
}

TEST(BatchEncrypt, SizesAreThoseOfPackedBits) {
  const BatchContextPtr context =
      oracle::batch_context({.n = 8192, .plain = {20}, .data = {43, 43, 44, 44}, .special = {44}});
  Prng prng(Seed{14});
  const rlwe::SecretKey key(context, prng);
  const Slots slots = oracle::random_slots(*context, prng);
  const Bytes bytes = batch_encrypt(*context, key, slots, prng);
  EXPECT_EQ(bytes.size(), 32U + 8192 * 174 / 8);
  EXPECT_LE(bytes.size(), 178300U);
  const rlwe::Ciphertext x = load_seeded(context, bytes);
  EXPECT_EQ(serialise(x).size(), 2 * 8192U * 174 / 8);
  EXPECT_EQ(rlwe::PublicKey(key, prng).serialise().size(), bytes.size());
  EXPECT_EQ(rlwe::KeySwitchKey(context, key.s(), key.s(), prng).serialise().size(), 32U + 4 * 8192 * 218 / 8);
}

// The bytes of uploads and keys are the same on every machine and by every kernel.
TEST(BatchEncrypt, FormatIsFrozen) {
  Prng prng(Seed{18});
  const BatchContextPtr context = oracle::batch_context(kShapes[2]);
  const rlwe::SecretKey key(context, prng);
  Slots slots(context->n());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = i * i % context->p().value();
  const Bytes upload = batch_encrypt(*context, key, slots, prng);
  EXPECT_EQ(oracle::hash(upload), 2460120058988521426ULL);
  EXPECT_EQ(oracle::hash(rlwe::KeySwitchKey(context, key.s(), key.s(), prng).serialise()),
            12148465864296553012ULL);
  EXPECT_EQ(oracle::hash(serialise(load_seeded(context, upload))), 7468369027358101343ULL);
}

TEST(BatchEncrypt, BytesRoundTrip) {
  Prng prng(Seed{15});
  const BatchContextPtr context = oracle::batch_context(kShapes[2]);
  const rlwe::SecretKey key(context, prng);
  const Slots slots = oracle::random_slots(*context, prng);
  const rlwe::Ciphertext x = oracle::encrypt(context, key, slots, prng);
  const rlwe::Ciphertext copy = load_ciphertext(context, 2, serialise(x));
  EXPECT_EQ(copy, x);
  const rlwe::PublicKey public_key(key, prng);
  const rlwe::PublicKey public_copy(context, public_key.serialise());
  EXPECT_TRUE(std::ranges::equal(public_copy.a(), public_key.a()));
  EXPECT_TRUE(std::ranges::equal(public_copy.b(), public_key.b()));
}

TEST(BatchEncrypt, FreshRandomnessForEachCall) {
  Prng prng(Seed{16});
  const BatchContextPtr context = oracle::batch_context(kShapes[0]);
  const rlwe::SecretKey key(context, prng);
  const Slots slots(context->n());
  EXPECT_NE(batch_encrypt(*context, key, slots, prng), batch_encrypt(*context, key, slots, prng));
}

TEST(BatchEncrypt, RefusesMalformedBytes) {
  Prng prng(Seed{17});
  const BatchContextPtr context = oracle::batch_context(kShapes[2]);
  const rlwe::SecretKey key(context, prng);
  const auto code_of = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  const Bytes upload = batch_encrypt(*context, key, Slots(context->n()), prng),
              both = serialise(load_seeded(context, upload));
  const Bytes switching = rlwe::KeySwitchKey(context, key.s(), key.s(), prng).serialise();
  for (const bool longer : {false, true}) {
    for (const Bytes& good : {upload, both, switching}) {
      Bytes bytes(good);
      longer ? bytes.push_back(0) : bytes.pop_back();
      EXPECT_EQ(code_of([&] { load_seeded(context, bytes); }), ErrorCode::peer);
      EXPECT_EQ(code_of([&] { load_ciphertext(context, 2, bytes); }), ErrorCode::peer);
      EXPECT_EQ(code_of([&] { rlwe::PublicKey(context, bytes); }), ErrorCode::peer);
      EXPECT_EQ(code_of([&] { rlwe::KeySwitchKey(context, bytes); }), ErrorCode::peer);
    }
  }
  EXPECT_EQ(code_of([&] { load_seeded(context, {}); }), ErrorCode::peer);
  // A residue of all ones is above every prime.
  const auto forged = [](Bytes bytes) {
    for (std::size_t i = 1; i <= 16 && i <= bytes.size(); ++i) bytes[bytes.size() - i] = 0xff;
    return bytes;
  };
  EXPECT_EQ(code_of([&] { load_seeded(context, forged(upload)); }), ErrorCode::peer);
  EXPECT_EQ(code_of([&] { load_ciphertext(context, 2, forged(both)); }), ErrorCode::peer);
  EXPECT_EQ(code_of([&] { rlwe::PublicKey(context, forged(upload)); }), ErrorCode::peer);
  EXPECT_EQ(code_of([&] { rlwe::KeySwitchKey(context, forged(switching)); }), ErrorCode::peer);
}

}  // namespace
}  // namespace ap::bfv

// What is sent under homomorphic encryption: public keys, uploads and replies of both packings, rotation
// keys. An input is a list of edits (fuzz/support/script.h) of an honest one.
#include "fuzz/support/bytes.h"
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "he/bfv/batch_scheme.h"
#include "he/bfv/batch_tables.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/key_switch.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"

namespace ap::fuzz {
namespace {

constexpr std::uint32_t kDegree = 1024, kBatchDegree = 2048;

struct Keys {
  bfv::ContextPtr context = bfv::make_context({kDegree, bfv::ntt_primes(30, kDegree, 2)});
  bfv::BatchContextPtr batch = bfv::make_batch_context(
      {{kBatchDegree, bfv::batch_primes(30, kBatchDegree, 2), bfv::batch_primes(31, kBatchDegree, 1), 0},
       bfv::batch_primes(20, kBatchDegree, 1),
       false});
  Prng prng{Seed{3}};
  rlwe::SecretKey secret{context, prng};
  rlwe::SecretKey batch_secret{batch, prng};
  std::vector<std::uint32_t> elements{bfv::rotation_element(*batch, 1), bfv::swap_element(*batch)};
  bfv::ReplyFormat format{{0, 3, 7, 63}, 5, 9};
};

std::vector<Bytes> honest();

Keys& keys() {
  static Keys all;
  return all;
}

void run(ByteView edits) {
  Keys& k = keys();
  static const std::vector<Bytes> objects = honest();
  Choices choices(edits);
  const std::size_t choice = choices.number(1) % objects.size();
  const Script script = edited({{0, objects[choice]}}, edits);
  if (script.empty()) return;
  ByteView input = script[0].payload;
  Choices of_input(input);
  switch (choice) {
    case 0:
      require(std::ranges::equal(rlwe::PublicKey(k.context, input).serialise(), input),
              "one form for each key");
      break;
    case 1: {
      rlwe::Ciphertext sum(k.context, k.context->data());
      const std::vector<std::int32_t> ones(kDegree, 1);
      rlwe::multiply_plain_add(rlwe::load_seeded(k.context, input), bfv::small_plaintext(*k.context, ones),
                               sum);
      break;
    }
    case 2: {
      std::vector<std::uint64_t> shares(k.format.positions.size());
      bfv::decrypt_reply(*k.context, k.secret, input, 12, k.format, shares);
      for (const std::uint64_t share : shares) require(share < 4096, "a share is below the modulus");
      break;
    }
    case 3:
      require(std::ranges::equal(rlwe::PublicKey(k.batch, input).serialise(), input),
              "one form for each key");
      break;
    case 4: {
      const rlwe::Ciphertext x = rlwe::load_seeded(k.batch, input);
      (void)rlwe::serialise(bfv::switch_level(*k.batch, x, 1));
      break;
    }
    case 5: {
      const std::size_t level = 1 + of_input.number(1) % k.batch->data();
      const rlwe::Ciphertext x = rlwe::load_ciphertext(k.batch, level, input);
      require(std::ranges::equal(rlwe::serialise(x), input), "one form for each ciphertext");
      std::vector<std::uint64_t> slots(kBatchDegree);
      bfv::batch_decrypt(*k.batch, k.batch_secret, x, slots);
      for (const std::uint64_t slot : slots)
        require(slot < k.batch->p().value(), "a slot is below the modulus");
      break;
    }
    case 6: {
      const rlwe::GaloisKeys rotations(k.batch, k.elements, input);
      require(std::ranges::equal(rotations.serialise(), input), "one form for each key");
      const rlwe::Ciphertext zero(k.batch, k.batch->data());
      (void)bfv::swap_rows(bfv::rotate_rows(zero, 1, rotations), rotations);
      break;
    }
    default:
      require(std::ranges::equal(rlwe::KeySwitchKey(k.batch, input).serialise(), input),
              "one form for each key");
  }
}

/// One of each kind that run() reads.
std::vector<Bytes> honest() {
  Keys& k = keys();
  const std::vector<std::uint64_t> message(kDegree, 3), slots(kBatchDegree, 3);
  const rlwe::PublicKey key(k.secret, k.prng);
  const Bytes upload = bfv::encrypt_seeded(*k.context, k.secret, message, 12, k.prng);
  rlwe::Ciphertext sum(k.context, k.context->data());
  rlwe::multiply_plain_add(rlwe::load_seeded(k.context, upload),
                           bfv::small_plaintext(*k.context, std::vector<std::int32_t>(kDegree, 1)), sum);
  std::vector<std::uint64_t> shares(k.format.positions.size());
  const Bytes reply = bfv::reshare(*k.context, key, std::move(sum), 12, k.format, 0, k.prng, shares);
  const Bytes seeded = bfv::batch_encrypt(*k.batch, k.batch_secret, slots, k.prng);
  Bytes level = rlwe::serialise(rlwe::load_seeded(k.batch, seeded));
  level.insert(level.begin(), 1);
  return {key.serialise(),
          upload,
          reply,
          rlwe::PublicKey(k.batch_secret, k.prng).serialise(),
          seeded,
          level,
          rlwe::GaloisKeys(k.batch_secret, k.elements, k.prng).serialise(),
          rlwe::KeySwitchKey(k.batch, k.batch_secret.s(), k.batch_secret.s(), k.prng).serialise()};
}

const Register known({.name = "homomorphic",
                      .run = run,
                      .seeds = edit_seeds,
                      .mistakes = Mistakes::of_a_peer,
                      .max_bytes = 128,
                      .mutate = mutate_edits});

}  // namespace
}  // namespace ap::fuzz

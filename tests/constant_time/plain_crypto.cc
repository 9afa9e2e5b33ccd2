// The ciphers, hashes and the group in plain C++, which programs use where OpenSSL and libsodium are missing. Secret are
// keys, scalars, our own elements and what is hashed.
#include <array>
#include <cstdlib>

#include "crypto/plain/aes.h"
#include "crypto/plain/blake2b.h"
#include "crypto/plain/ristretto255.h"
#include "crypto/plain/sha256.h"
#include "tests/constant_time/secret.h"

namespace ap::constant_time {
namespace {

namespace plain = crypto::plain;

void cipher() {
  const Seed key = secret_seed(1);
  std::array<std::uint8_t, 16> counter{};
  poison_all(counter);
  Bytes stream(1024 + 48);
  plain::Aes256Ctr(key, counter).generate(stream);
  Bytes round_keys(16 * (plain::kAes128Rounds + 1));
  plain::aes_expand_key(ByteView(key).first(16), round_keys);
  plain::Aes(round_keys).encrypt(stream.data(), stream.data(), 3);
}

void hashes() {
  Bytes text(300, 7);
  poison_all(text);
  plain::Sha256 sha;
  sha.add(text);
  sha.value();
  plain::Blake2b blake(32, ByteView(text).first(16));
  blake.add(text);
  Seed digest;
  blake.finish(digest);
}

void group() {
  plain::WideScalar wide{3};
  poison_all(wide);
  const plain::Scalar scalar = plain::reduce_scalar(wide);
  plain::Element mine, product, sum, theirs;
  const auto require = [](bool valid) {
    make_public(&valid, sizeof valid);
    if (!valid) std::abort();
  };
  require(plain::multiply_base(plain::Scalar{5}, theirs));
  require(plain::multiply_base(scalar, mine));
  require(plain::multiply(scalar, theirs, product));
  require(plain::add(mine, theirs, sum));
  require(plain::subtract(mine, theirs, sum));
}

}  // namespace

std::vector<Case> plain_crypto_cases() {
  return {{"plain: cipher", cipher}, {"plain: hashes", hashes}, {"plain: group", group}};
}

}  // namespace ap::constant_time

#include "he/ckks/encrypt.h"

#include <cmath>

#include "base/error.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/encrypt.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/wire.h"

namespace ap::ckks {

Bytes encrypt_seeded(const Encoder& encoder, const rlwe::SecretKey& key,
                     std::span<const std::complex<double>> slots, const Scale& scale, Prng& prng) {
  AP_ASSERT(key.context() == encoder.context());
  const Integers coefficients = encoder.coefficients(slots, scale);
  return rlwe::encrypt_seeded(key, add_coefficients(*key.context(), coefficients), prng);
}

Ciphertext load_seeded(const rlwe::ContextPtr& context, const Scale& scale, ByteView bytes) {
  return {rlwe::load_seeded(context, bytes), scale};
}

Bytes serialise(const Ciphertext& x) { return rlwe::serialise(x.polynomials()); }

Ciphertext load_ciphertext(const rlwe::ContextPtr& context, std::size_t level, const Scale& scale,
                           ByteView bytes, std::size_t degree) {
  return {rlwe::load_ciphertext(context, level, bytes, degree), scale};
}

Ciphertext encrypt(const rlwe::PublicKey& key, const Plaintext& plaintext, Prng& prng) {
  AP_ASSERT(key.context() == plaintext.context());
  Ciphertext x(rlwe::Ciphertext(key.context(), plaintext.level()), plaintext.scale());
  const rlwe::EncryptionRandomness drawn(key.context()->n(), prng);
  const auto nothing = [](std::size_t, std::span<std::uint64_t>) {};
  rlwe::add_encryption_of_zero(key, drawn, nothing, x.polynomials());
  add_plain(x, plaintext);
  return x;
}

Slots decrypt(const Encoder& encoder, const rlwe::SecretKey& key, const Ciphertext& x, std::size_t slots) {
  AP_ASSERT(key.context() == encoder.context());
  const SecretVector<std::uint64_t> phase = rlwe::phase(key, x.polynomials());
  const Integers integers = centred_integers(*x.context(), phase, x.level());
  return encoder.decode(std::span<const ring::Int128>(integers), slots, x.scale());
}

int flood_bits(std::size_t n, double noise_bits, double statistical_bits) {
  // N B / 2^(bits + 1) <= 2^-statistical.
  return static_cast<int>(std::ceil(noise_bits + statistical_bits + std::log2(static_cast<double>(n)) - 1));
}

void flood(Ciphertext& x, const rlwe::PublicKey& key, double noise_bits, double statistical_bits,
           Prng& prng) {
  if (!(std::abs(noise_bits) < 1e4 && std::abs(statistical_bits) < 1e4)) {
    fail_input("noise of {} bits cannot be hidden to {} bits", noise_bits, statistical_bits);
  }
  const int bits = flood_bits(x.context()->n(), noise_bits, statistical_bits);
  const double room = x.context()->level(x.level()).log2_q - 2;
  if (bits < 1 || bits >= room || x.scale().log2() >= room) {
    fail_input(
        "flooding with {} bits and the scale {} do not both fit the {:.1f} bits of the ciphertext: flood before "
        "the last primes are dropped, or hide with fewer bits",
        bits, x.scale().text(), room);
  }
  rlwe::flood(key, bits, prng, x.polynomials());
}

}  // namespace ap::ckks

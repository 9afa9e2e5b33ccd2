#include "layers/linear/simd/share.h"

#include "base/error.h"
#include "he/rlwe/wire.h"

namespace ap::linear {

Bytes share_slots(const bfv::BatchContext& context, const rlwe::PublicKey& key, rlwe::Ciphertext x,
                  int flood_bits, std::size_t level, Prng& prng, std::span<std::uint64_t> server_shares) {
  AP_ASSERT(server_shares.size() == context.n());
  const ring::Modulus& p = context.p();
  sample_uniform(prng, p.value(), server_shares);
  SecretVector<std::uint64_t> negated(server_shares.begin(), server_shares.end());
  for (std::uint64_t& value : negated) value = p.negate(value);
  bfv::add_plain(context, x, negated);
  bfv::flood(context, key, flood_bits, prng, x);
  return rlwe::serialise(bfv::switch_level(context, x, level));
}

}  // namespace ap::linear

#include "layers/linear/simd/share.h"

#include "base/error.h"

namespace ap::linear {

Bytes share_slots(const bfv::BatchPublicKey& key, bfv::BatchCiphertext x, int flood_bits, std::size_t level,
                  Prng& prng, std::span<std::uint64_t> server_shares) {
  const bfv::BatchContext& context = *x.context;
  AP_ASSERT(server_shares.size() == context.n());
  const ring::Modulus& p = context.p();
  sample_uniform(prng, p.value(), server_shares);
  SecretVector<std::uint64_t> negated(server_shares.begin(), server_shares.end());
  for (std::uint64_t& value : negated) value = p.negate(value);
  bfv::add_plain(x, negated);
  bfv::flood(key, flood_bits, prng, x);
  return bfv::serialise(bfv::switch_level(x, level));
}

}  // namespace ap::linear

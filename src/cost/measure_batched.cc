// Packing by slots, in one ring: its operations scale from there.
#include "bfv/batch_scheme.h"
#include "cost/measure.h"
#include "ring/ntt.h"

namespace ap::cost {

BatchedUnitCosts measure_batched() {
  constexpr std::uint32_t kDegree = 8192;
  constexpr int kPrimeBits = 45, kPlainBits = 20;
  constexpr std::size_t kPrimes = 3, kTerms = 8;
  constexpr double kBudget = 8e-3;
  bfv::BatchParameters parameters;
  parameters.n = kDegree;
  parameters.data_primes = bfv::batch_primes(kPrimeBits, kDegree, kPrimes);
  parameters.plain_primes = bfv::batch_primes(kPlainBits, kDegree, 1);
  const bfv::BatchContextPtr context = bfv::make_batch_context(parameters);
  Prng prng;
  const bfv::BatchSecretKey key(context, prng);
  SecretVector<std::uint64_t> slots(kDegree);
  sample_uniform(prng, parameters.p(), std::span<std::uint64_t>(slots));
  AlignedVector<std::uint64_t> coefficients(kDegree);

  BatchedUnitCosts costs;
  costs.slots_s = time_of([&] { bfv::encode_slots(*context, slots, coefficients); }, kBudget);
  const ring::NttTables tables(kDegree, parameters.data_primes[0]);
  AlignedVector<std::uint64_t> values(slots.begin(), slots.end());
  costs.transform_s = time_of([&] { tables.forward(values); }, kBudget);
  Bytes upload;
  const double encrypt = time_of([&] { upload = bfv::batch_encrypt(key, slots, prng); }, kBudget);
  costs.encrypt_s = std::max(0.0, encrypt - costs.slots_s) / kPrimes;

  const bfv::BatchCiphertext x = bfv::load_seeded(context, upload);
  const std::vector<bfv::BatchPlaintext> weights(kTerms, bfv::BatchPlaintext(*context, slots, kPrimes));
  const std::vector<const bfv::BatchCiphertext*> xs(kTerms, &x);
  std::vector<const bfv::BatchPlaintext*> ws;
  for (const bfv::BatchPlaintext& w : weights) ws.push_back(&w);
  bfv::BatchCiphertext sum(context, kPrimes);
  costs.pass_s = time_of([&] { bfv::multiply_plain_add(xs, ws, sum); }, kBudget) / (2 * kPrimes * kTerms);
  return costs;
}

}  // namespace ap::cost

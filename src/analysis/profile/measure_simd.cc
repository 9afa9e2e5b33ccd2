// SIMD batching, in one ring: its operations scale from there.
#include "analysis/profile/measure.h"
#include "base/parallel.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"
#include "ring/ntt.h"

namespace ap::cost {

SimdUnitCosts measure_simd() {
  constexpr std::uint32_t kDegree = 8192;
  constexpr int kPrimeBits = 45, kPlainBits = 20;
  constexpr std::size_t kPrimes = 3, kTerms = 8;
  constexpr double kBudget = 8e-3, kStreamBudget = 0.15;
  constexpr std::size_t kWeightBytes = std::size_t{96} << 20;  // more than the caches of the last level hold
  bfv::BatchParameters parameters;
  parameters.n = kDegree;
  parameters.data_primes = bfv::batch_primes(kPrimeBits, kDegree, kPrimes);
  parameters.plain_primes = bfv::batch_primes(kPlainBits, kDegree, 1);
  const bfv::BatchContextPtr context = bfv::make_batch_context(parameters);
  Prng prng;
  const rlwe::SecretKey key(context, prng);
  SecretVector<std::uint64_t> slots(kDegree);
  sample_uniform(prng, parameters.p(), std::span<std::uint64_t>(slots));
  AlignedVector<std::uint64_t> coefficients(kDegree);

  SimdUnitCosts costs;
  costs.slots_s = time_of([&] { bfv::encode_slots(*context, slots, coefficients); }, kBudget);
  const ring::NttTables tables(kDegree, parameters.data_primes[0]);
  AlignedVector<std::uint64_t> values(slots.begin(), slots.end());
  costs.transform_s = time_of([&] { tables.forward(values); }, kBudget);
  Bytes upload;
  const double encrypt = time_of([&] { upload = bfv::batch_encrypt(*context, key, slots, prng); }, kBudget);
  costs.encrypt_s = std::max(0.0, encrypt - costs.slots_s) / kPrimes;

  const rlwe::Ciphertext x = rlwe::load_seeded(context, upload);
  costs.load_s = time_of([&] { rlwe::load_seeded(context, upload); }, kBudget) / kPrimes;

  const rlwe::Plaintext w = bfv::batch_plaintext(*context, slots, kPrimes);
  rlwe::Ciphertext sum(context, kPrimes);
  costs.pass_s = time_of(
                     [&] {
                       const std::vector<const rlwe::Ciphertext*> xs(kTerms, &x);
                       const std::vector<const rlwe::Plaintext*> ws(kTerms, &w);
                       rlwe::multiply_plain_add(xs, ws, sum);
                     },
                     kBudget) /
                 (2 * kPrimes * kTerms);

  // All cores at once, since they share the way to memory; every weight once in turn.
  const std::size_t runs = kWeightBytes / (kTerms * w.memory_bytes());
  const std::vector<rlwe::Plaintext> weights(runs * kTerms, w);
  const std::vector<rlwe::Ciphertext> inputs(kTerms, x);
  std::vector<rlwe::Ciphertext> sums(runs, sum);
  const double streamed = time_of(
                              [&] {
                                parallel_for(runs, [&](std::size_t run) {
                                  std::vector<const rlwe::Ciphertext*> xs;
                                  std::vector<const rlwe::Plaintext*> ws;
                                  for (std::size_t k = 0; k < kTerms; ++k) {
                                    xs.push_back(&inputs[k]);
                                    ws.push_back(&weights[run * kTerms + k]);
                                  }
                                  rlwe::multiply_plain_add(xs, ws, sums[run]);
                                });
                              },
                              kStreamBudget) /
                          static_cast<double>(kPrimes * kTerms * runs);
  costs.stream_s = std::max(0.0, streamed - 2 * costs.pass_s);
  costs.move_s = time_of(
                     [&] {
                       for (std::size_t run = 1; run < runs; ++run) rlwe::add(sums[run - 1], sums[run]);
                     },
                     kBudget) /
                 static_cast<double>(2 * kPrimes * (runs - 1));
  return costs;
}

}  // namespace ap::cost

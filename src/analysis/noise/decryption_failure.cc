#include "analysis/noise/decryption_failure.h"

#include "analysis/noise/counter_random.h"
#include "base/error.h"
#include "ring/primes.h"

namespace ap::noise {

std::vector<std::uint64_t> monomial_slots(std::uint64_t p, std::uint32_t n, std::size_t coefficient) {
  const ring::Modulus modulus(p);
  const std::uint64_t order = 2 * std::uint64_t{n};
  AP_ASSERT(coefficient < n);
  const std::uint64_t psi = ring::primitive_root(modulus, n);
  std::vector<std::uint64_t> power(order);
  power[0] = 1;
  for (std::size_t i = 1; i < order; ++i) power[i] = modulus.mul(power[i - 1], psi);
  // Column i of the first row is the value at psi^(3^i), of the second at its inverse.
  std::vector<std::uint64_t> slots(n);
  std::uint64_t exponent = 1;
  for (std::size_t i = 0; i < n / 2; ++i, exponent = exponent * 3 % order) {
    slots[i] = power[exponent * coefficient % order];
    slots[n / 2 + i] = power[(order - exponent) * coefficient % order];
  }
  return slots;
}

std::int64_t centred(std::int64_t value, std::uint64_t p) {
  const auto modulus = static_cast<std::int64_t>(p);
  std::int64_t rest = value % modulus;
  if (rest > modulus / 2) rest -= modulus;
  if (rest < -(modulus / 2)) rest += modulus;
  return rest;
}

std::size_t inject_decryption_failures(const DecryptionFailures& layer, std::uint64_t key,
                                       std::span<std::int32_t> values) {
  std::size_t failed = 0;
  for (std::size_t reply = 0; reply < layer.replies.size(); ++reply) {
    const double u = static_cast<double>(counter_bits(key, 2 * reply) >> 11) * 0x1p-53;
    if (!(u < layer.rate)) continue;
    ++failed;
    const std::uint64_t where = counter_bits(key, 2 * reply + 1);
    const std::vector<std::uint64_t> error = monomial_slots(layer.p, layer.n, (where >> 1) % layer.n);
    for (const SlotRead& read : layer.replies[reply]) {
      const auto e = static_cast<std::int64_t>(error[read.slot]);
      std::int32_t& value = values[read.output];
      value = static_cast<std::int32_t>(centred(where & 1 ? value + e : value - e, layer.p));
    }
  }
  return failed;
}

}  // namespace ap::noise

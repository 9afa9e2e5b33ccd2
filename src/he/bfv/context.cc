#include "he/bfv/context.h"

#include <bit>
#include <cmath>
#include <set>

#include "base/error.h"
#include "he/bfv/context_tables.h"

namespace ap::bfv {
namespace {

constexpr int kMinBits = 20;
constexpr std::uint32_t kMaxRing = 8192;

rlwe::Parameters checked(const Parameters& parameters) {
  const std::uint32_t n = parameters.n;
  if (!std::has_single_bit(n) || n < rlwe::kMinDegree || n > kMaxRing) {
    fail_input("the ring degree must be 1024, 2048, 4096 or 8192, not {}", n);
  }
  if (parameters.primes.empty()) fail_input("the ciphertext modulus needs at least one prime");
  std::set<std::uint64_t> seen;
  ring::Uint128 product = 1;
  for (const std::uint64_t& prime : parameters.primes) {
    rlwe::check_primes({&prime, 1}, n, kMinBits, rlwe::kMaxPrimeBits, "ciphertext", seen);
    if (product >= (static_cast<ring::Uint128>(1) << 120) / prime) {
      fail_input("the ciphertext modulus has {:.1f} bits: at most 120 are allowed", parameters.log2_q());
    }
    product *= prime;
  }
  return {n, parameters.primes, {}, 0};
}

}  // namespace

double Parameters::log2_q() const {
  double sum = 0;
  for (const std::uint64_t prime : primes) sum += std::log2(static_cast<double>(prime));
  return sum;
}

std::vector<std::uint64_t> ntt_primes(int bits, std::uint32_t n, std::size_t count) {
  if (bits < kMinBits || bits > rlwe::kMaxPrimeBits) {
    fail_input("ciphertext primes have {} to {} bits, not {}", kMinBits, rlwe::kMaxPrimeBits, bits);
  }
  return rlwe::primes(bits, n, count);
}

Context::Context(const Parameters& parameters)
    : rlwe::Context(checked(parameters)), parameters_(parameters), crt_(parameters.primes), scaling_(crt_) {}

ContextPtr make_context(const Parameters& parameters) { return std::make_shared<const Context>(parameters); }

const Parameters& parameters(const Context& context) { return context.parameters(); }

}  // namespace ap::bfv

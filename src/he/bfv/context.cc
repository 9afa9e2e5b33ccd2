#include "he/bfv/context.h"

#include <bit>
#include <cmath>

#include "base/error.h"
#include "he/bfv/context_tables.h"
#include "ring/primes.h"

namespace ap::bfv {
namespace {

void check(const Parameters& parameters) {
  const std::uint32_t n = parameters.n;
  if (!std::has_single_bit(n) || n < 1024 || n > 8192) {
    fail_input("the ring degree must be 1024, 2048, 4096 or 8192, not {}", n);
  }
  if (parameters.primes.empty()) fail_input("the ciphertext modulus needs at least one prime");
  ring::Uint128 product = 1;
  for (std::size_t i = 0; i < parameters.primes.size(); ++i) {
    const std::uint64_t prime = parameters.primes[i];
    const int bits = std::bit_width(prime);
    if (bits < 20 || bits > 60)
      fail_input("the ciphertext prime {} has {} bits: 20 to 60 are allowed", prime, bits);
    if (prime % (2 * n) != 1) fail_input("the ciphertext prime {} is not 1 modulo {}", prime, 2 * n);
    if (!ring::is_prime(prime)) fail_input("the ciphertext modulus factor {} is not a prime", prime);
    for (std::size_t j = 0; j < i; ++j) {
      if (parameters.primes[j] == prime) fail_input("the ciphertext prime {} is given twice", prime);
    }
    if (product >= (static_cast<ring::Uint128>(1) << 120) / prime) {
      fail_input("the ciphertext modulus has {:.1f} bits: at most 120 are allowed", parameters.log2_q());
    }
    product *= prime;
  }
}

std::vector<ring::NttTables> make_tables(const Parameters& parameters) {
  check(parameters);
  std::vector<ring::NttTables> tables;
  for (const std::uint64_t prime : parameters.primes) tables.emplace_back(parameters.n, prime);
  return tables;
}

}  // namespace

double Parameters::log2_q() const {
  double sum = 0;
  for (const std::uint64_t prime : primes) sum += std::log2(static_cast<double>(prime));
  return sum;
}

std::vector<std::uint64_t> ntt_primes(int bits, std::uint32_t n, std::size_t count) {
  if (bits < 20 || bits > 60) fail_input("ciphertext primes have 20 to 60 bits, not {}", bits);
  if (!std::has_single_bit(n)) fail_input("the ring degree must be a power of two, not {}", n);
  std::vector<std::uint64_t> primes = ring::ntt_primes(bits, n, count);
  if (primes.size() < count) {
    fail_input(
        "there are only {} primes of {} bits that are 1 modulo {}, but {} are needed: take larger primes",
        primes.size(), bits, 2 * static_cast<std::uint64_t>(n), count);
  }
  return primes;
}

Context::Context(const Parameters& parameters)
    : parameters_(parameters), tables_(make_tables(parameters)), crt_(parameters.primes), scaling_(crt_) {}

ContextPtr make_context(const Parameters& parameters) { return std::make_shared<const Context>(parameters); }

const Parameters& parameters(const Context& context) { return context.parameters(); }

}  // namespace ap::bfv

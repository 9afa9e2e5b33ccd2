#include "he/bfv/batch_context.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/error.h"
#include "he/bfv/batch_tables.h"
#include "ring/primes.h"

namespace ap::bfv {
namespace {

using ring::Modulus;
using ring::Uint128;

constexpr std::size_t kMaxPrimes = 32;
constexpr int kBatchPrimeBits = ring::kNarrowPrimeBits;
// Transforms of primes below 2^47 need no reduction between their stages for any degree up to 32768.
constexpr int kHelperBits = 47;

double log2_product(const std::vector<std::uint64_t>& primes) {
  double sum = 0;
  for (const std::uint64_t prime : primes) sum += std::log2(static_cast<double>(prime));
  return sum;
}

void check_primes(const std::vector<std::uint64_t>& primes, std::uint64_t n, const char* name,
                  std::set<std::uint64_t>& seen) {
  for (const std::uint64_t prime : primes) {
    const int bits = std::bit_width(prime);
    if (bits < 13 || bits > kBatchPrimeBits) {
      fail_input("the {} prime {} has {} bits: 13 to {} are allowed", name, prime, bits, kBatchPrimeBits);
    }
    if (prime % (2 * n) != 1) fail_input("the {} prime {} is not 1 modulo {}", name, prime, 2 * n);
    if (!ring::is_prime(prime)) fail_input("the {} modulus factor {} is not a prime", name, prime);
    if (!seen.insert(prime).second) fail_input("the {} prime {} is given twice", name, prime);
  }
}

const BatchParameters& checked(const BatchParameters& parameters) {
  const std::uint64_t n = parameters.n;
  if (!std::has_single_bit(n) || n < 2048 || n > 32768) {
    fail_input("the ring degree for batching must be 2048, 4096, 8192, 16384 or 32768, not {}", n);
  }
  if (parameters.data_primes.empty() || parameters.data_primes.size() > kMaxPrimes) {
    fail_input("the ciphertext modulus has {} primes: 1 to {} are allowed", parameters.data_primes.size(),
               kMaxPrimes);
  }
  if (parameters.special_primes.size() > kMaxPrimes) {
    fail_input("there are {} special primes: at most {} are allowed", parameters.special_primes.size(),
               kMaxPrimes);
  }
  if (parameters.plain_primes.empty() || parameters.plain_primes.size() > 4) {
    fail_input("the plaintext modulus has {} primes: 1 to 4 are allowed", parameters.plain_primes.size());
  }
  if (parameters.digits > parameters.data_primes.size()) {
    fail_input("{} digits are more than the {} primes of the ciphertext modulus", parameters.digits,
               parameters.data_primes.size());
  }
  std::set<std::uint64_t> seen;
  check_primes(parameters.data_primes, n, "ciphertext", seen);
  check_primes(parameters.special_primes, n, "special", seen);
  check_primes(parameters.plain_primes, n, "plaintext", seen);
  if (parameters.log2_p() >= 60) {
    fail_input("the plaintext modulus has {:.1f} bits: below 60 are allowed", parameters.log2_p());
  }
  if (parameters.log2_q() < parameters.log2_p() + 2) {
    fail_input(
        "the ciphertext modulus of {:.1f} bits is not above the plaintext modulus of {:.1f} bits by two",
        parameters.log2_q(), parameters.log2_p());
  }
  return parameters;
}

// q is below the smallest product of helpers that holds the scaled product of two ciphertexts: N q p / 2 in
// magnitude, and a bit to spare for the rounding of the way back.
std::size_t helpers_needed(double log2_q, double log2_p, std::uint32_t n) {
  const double bits = log2_q + log2_p + std::log2(n) + 2;
  return static_cast<std::size_t>(std::ceil(bits / (kHelperBits - 0.01)));
}

BatchLevel::ScaleUp make_scale_up(const std::vector<Modulus>& primes, const Modulus& p) {
  BatchLevel::ScaleUp scale;
  scale.q = 1;
  for (const Modulus& prime : primes) {
    scale.q = p.mul(scale.q, p.reduce(prime.value()));
    const std::uint64_t inverse = prime.inverse(prime.reduce(p.value()));
    scale.minus_inverse.emplace_back(prime, prime.negate(inverse));
    scale.offset.push_back(prime.mul(inverse, prime.reduce(p.value() / 2)));
  }
  scale.q_shoup = p.shoup(scale.q);
  return scale;
}

BatchLevel::ScaleDownToPlain make_scale_down(const std::vector<Modulus>& primes, const Modulus& p) {
  BatchLevel::ScaleDownToPlain scale;
  for (std::size_t i = 0; i < primes.size(); ++i) {
    const Modulus& q = primes[i];
    std::uint64_t cofactor = 1;
    for (std::size_t j = 0; j < primes.size(); ++j) {
      if (j != i) cofactor = q.mul(cofactor, q.reduce(primes[j].value()));
    }
    scale.inverse.emplace_back(q, q.inverse(cofactor));
    scale.whole.push_back(p.value() / q.value());
    const Uint128 rest = static_cast<Uint128>(p.value() % q.value()) << 64;
    scale.fraction.push_back(static_cast<std::uint64_t>(rest / q.value()));
  }
  return scale;
}

}  // namespace

double BatchParameters::log2_p() const { return log2_product(plain_primes); }
double BatchParameters::log2_q() const { return log2_product(data_primes); }
double BatchParameters::log2_qp() const { return log2_q() + log2_product(special_primes); }
std::uint64_t BatchParameters::p() const {
  std::uint64_t product = 1;
  for (const std::uint64_t prime : plain_primes) product *= prime;
  return product;
}

std::vector<std::uint64_t> free_batch_primes(int bits, std::uint32_t n, std::size_t count,
                                             const std::vector<std::uint64_t>& taken) {
  if (bits < 13 || bits > kBatchPrimeBits) {
    fail_input("primes for batching have 13 to {} bits, not {}", kBatchPrimeBits, bits);
  }
  if (!std::has_single_bit(n)) fail_input("the ring degree must be a power of two, not {}", n);
  if (count > 64) fail_input("{} primes of one size are more than the 64 that any use here needs", count);
  std::vector<std::uint64_t> primes = ring::ntt_primes(bits, n, count + taken.size());
  std::erase_if(primes, [&](std::uint64_t prime) {
    return std::find(taken.begin(), taken.end(), prime) != taken.end();
  });
  if (primes.size() > count) primes.resize(count);
  return primes;
}

std::vector<std::uint64_t> batch_primes(int bits, std::uint32_t n, std::size_t count,
                                        const std::vector<std::uint64_t>& taken) {
  std::vector<std::uint64_t> primes = free_batch_primes(bits, n, count, taken);
  if (primes.size() < count) {
    fail_input(
        "there are only {} free primes of {} bits that are 1 modulo {}, but {} are needed: take larger ones",
        primes.size(), bits, 2 * static_cast<std::uint64_t>(n), count);
  }
  return primes;
}

BatchContext::BatchContext(const BatchParameters& parameters)
    : parameters_(checked(parameters)), p_(parameters.p()) {
  const auto n = parameters_.n;
  for (const std::uint64_t prime : parameters_.data_primes) tables_.emplace_back(n, prime);
  for (const std::uint64_t prime : parameters_.special_primes) tables_.emplace_back(n, prime);
  if (parameters_.products) {
    std::vector<std::uint64_t> taken = parameters_.data_primes;
    for (const auto* more : {&parameters_.special_primes, &parameters_.plain_primes}) {
      taken.insert(taken.end(), more->begin(), more->end());
    }
    const std::size_t helpers = helpers_needed(parameters_.log2_q(), parameters_.log2_p(), n);
    for (const std::uint64_t prime : batch_primes(kHelperBits, n, helpers, taken))
      tables_.emplace_back(n, prime);
  }
  for (const std::uint64_t prime : parameters_.plain_primes) {
    plain_tables_.emplace_back(n, prime);
    const Modulus modulus(prime);
    const std::uint64_t cofactor = p_.value() / prime;
    plain_lift_.push_back(p_.mul(cofactor, modulus.inverse(modulus.reduce(cofactor))) % p_.value());
    plain_lift_shoup_.push_back(p_.shoup(plain_lift_.back()));
  }
  // The rows are the orbits of psi and 1/psi under the powers of 3, which generate half of the odd residues.
  slot_index_.resize(n);
  const int bits = std::countr_zero(n);
  std::uint32_t exponent = 1;
  for (std::uint32_t i = 0; i < n / 2; ++i, exponent = exponent * 3 % (2 * n)) {
    for (const std::uint32_t row : {0U, 1U}) {
      const std::uint32_t value = ((row == 0 ? exponent : 2 * n - exponent) - 1) / 2;
      std::uint32_t reversed = 0;
      for (int b = 0; b < bits; ++b) reversed |= ((value >> b) & 1) << (bits - 1 - b);
      slot_index_[row * (n / 2) + i] = reversed;
    }
  }
  const std::size_t digits = parameters_.digits == 0 ? data() : parameters_.digits;
  const std::size_t group = (data() + digits - 1) / digits;
  for (std::size_t primes = 1; primes <= data(); ++primes) levels_.push_back(make_level(primes, group));
}

std::vector<Modulus> BatchContext::moduli(std::size_t first, std::size_t count) const {
  std::vector<Modulus> result;
  for (std::size_t i = first; i < first + count; ++i) result.push_back(modulus(i));
  return result;
}

BatchLevel BatchContext::make_level(std::size_t primes, std::size_t group) const {
  BatchLevel level;
  const std::vector<Modulus> q = moduli(0, primes), specials = moduli(data(), special());
  for (const Modulus& prime : q) level.log2_q += std::log2(static_cast<double>(prime.value()));
  level.scale_up = make_scale_up(q, p_);
  level.scale_down = make_scale_down(q, p_);
  for (std::size_t first = 0; first < primes; first += group) {
    const std::size_t count = std::min(group, primes - first);
    std::vector<Modulus> others = q;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(first),
                 others.begin() + static_cast<std::ptrdiff_t>(first + count));
    others.insert(others.end(), specials.begin(), specials.end());
    level.digits.push_back({first, count, ring::BaseConverter(moduli(first, count), others)});
  }
  if (special() > 0) level.drop_special.emplace(specials, q);
  if (parameters_.products) {
    const std::size_t helpers = helpers_needed(level.log2_q, parameters_.log2_p(), parameters_.n);
    const std::vector<Modulus> b = moduli(data() + special(), helpers);
    level.product.emplace(BatchLevel::Product{helpers, ring::BaseConverter(q, b),
                                              ring::ScaleDown(q, b, p_.value()), ring::BaseConverter(b, q)});
  }
  return level;
}

BatchContextPtr make_batch_context(const BatchParameters& parameters) {
  return std::make_shared<const BatchContext>(parameters);
}

const BatchParameters& parameters(const BatchContext& context) { return context.parameters(); }

}  // namespace ap::bfv

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
constexpr std::uint32_t kMinBatchDegree = 2048;
// The sums of decryption hold whole and fractional parts of products of such residues (batch_encrypt.cc).
constexpr int kBatchPrimeBits = ring::kNarrowPrimeBits;
// Transforms of primes below 2^47 need no reduction between their stages for any degree up to 32768, and few at 65536.
constexpr int kHelperBits = 47;

const BatchParameters& checked(const BatchParameters& parameters) {
  const std::uint32_t n = parameters.n;
  if (!std::has_single_bit(n) || n < kMinBatchDegree || n > rlwe::kMaxDegree) {
    fail_input("the ring degree for batching must be a power of two from {} to {}, not {}", kMinBatchDegree,
               rlwe::kMaxDegree, n);
  }
  if (parameters.data_primes.empty() || parameters.data_primes.size() > kMaxPrimes) {
    fail_input("the ciphertext modulus has {} primes: 1 to {} are allowed", parameters.data_primes.size(),
               kMaxPrimes);
  }
  if (parameters.plain_primes.empty() || parameters.plain_primes.size() > 4) {
    fail_input("the plaintext modulus has {} primes: 1 to 4 are allowed", parameters.plain_primes.size());
  }
  std::set<std::uint64_t> seen;
  rlwe::check_primes(parameters.data_primes, n, rlwe::kMinPrimeBits, kBatchPrimeBits, "ciphertext", seen);
  rlwe::check_primes(parameters.special_primes, n, rlwe::kMinPrimeBits, kBatchPrimeBits, "special", seen);
  rlwe::check_primes(parameters.plain_primes, n, rlwe::kMinPrimeBits, kBatchPrimeBits, "plaintext", seen);
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

void check_bits(int bits) {
  if (bits < rlwe::kMinPrimeBits || bits > kBatchPrimeBits) {
    fail_input("primes for batching have {} to {} bits, not {}", rlwe::kMinPrimeBits, kBatchPrimeBits, bits);
  }
}

// q is below the smallest product of helpers that holds the scaled product of two ciphertexts: N q p / 2 in
// magnitude, and a bit to spare for the rounding of the way back.
std::size_t helpers_needed(double log2_q, double log2_p, std::uint32_t n) {
  const double bits = log2_q + log2_p + std::log2(n) + 2;
  return static_cast<std::size_t>(std::ceil(bits / (kHelperBits - 0.01)));
}

PlainLevel::ScaleUp make_scale_up(const std::vector<Modulus>& primes, const Modulus& p) {
  PlainLevel::ScaleUp scale;
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

PlainLevel::ScaleDownToPlain make_scale_down(const std::vector<Modulus>& primes, const Modulus& p) {
  PlainLevel::ScaleDownToPlain scale;
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

double BatchParameters::log2_p() const {
  double sum = 0;
  for (const std::uint64_t prime : plain_primes) sum += std::log2(static_cast<double>(prime));
  return sum;
}
std::uint64_t BatchParameters::p() const {
  std::uint64_t product = 1;
  for (const std::uint64_t prime : plain_primes) product *= prime;
  return product;
}

std::vector<std::uint64_t> free_batch_primes(int bits, std::uint32_t n, std::size_t count,
                                             const std::vector<std::uint64_t>& taken) {
  check_bits(bits);
  return rlwe::free_primes(bits, n, count, taken);
}

std::vector<std::uint64_t> batch_primes(int bits, std::uint32_t n, std::size_t count,
                                        const std::vector<std::uint64_t>& taken) {
  check_bits(bits);
  return rlwe::primes(bits, n, count, taken);
}

BatchContext::BatchContext(const BatchParameters& parameters)
    : rlwe::Context(checked(parameters)), parameters_(parameters), p_(parameters.p()) {
  const auto n = parameters_.n;
  if (parameters_.products) {
    std::vector<std::uint64_t> taken = parameters_.data_primes;
    for (const auto* more : {&parameters_.special_primes, &parameters_.plain_primes}) {
      taken.insert(taken.end(), more->begin(), more->end());
    }
    const std::size_t helpers = helpers_needed(parameters_.log2_q(), parameters_.log2_p(), n);
    for (const std::uint64_t prime : batch_primes(kHelperBits, n, helpers, taken)) {
      helper_tables_.emplace_back(n, prime);
    }
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
  for (std::uint32_t i = 0; i < n / 2; ++i, exponent = exponent * kRotation % (2 * n)) {
    for (const std::uint32_t row : {0U, 1U}) {
      const std::uint32_t value = ((row == 0 ? exponent : 2 * n - exponent) - 1) / 2;
      std::uint32_t reversed = 0;
      for (int b = 0; b < bits; ++b) reversed |= ((value >> b) & 1) << (bits - 1 - b);
      slot_index_[row * (n / 2) + i] = reversed;
    }
  }
  for (std::size_t primes = 1; primes <= data(); ++primes) levels_.push_back(make_level(primes));
}

PlainLevel BatchContext::make_level(std::size_t primes) const {
  const std::vector<Modulus> q = moduli(0, primes);
  PlainLevel level{make_scale_up(q, p_), make_scale_down(q, p_), std::nullopt};
  if (parameters_.products) {
    const std::size_t helpers =
        helpers_needed(this->level(primes).log2_q, parameters_.log2_p(), parameters_.n);
    std::vector<Modulus> b;
    for (std::size_t i = 0; i < helpers; ++i) b.push_back(helper_tables_[i].modulus());
    level.product.emplace(PlainLevel::Product{helpers, ring::BaseConverter(q, b),
                                              ring::ScaleDown(q, b, p_.value()), ring::BaseConverter(b, q)});
  }
  return level;
}

BatchContextPtr make_batch_context(const BatchParameters& parameters) {
  return std::make_shared<const BatchContext>(parameters);
}

const BatchParameters& parameters(const BatchContext& context) { return context.parameters(); }

}  // namespace ap::bfv

#include "he/rlwe/context.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "ring/primes.h"

namespace ap::rlwe {
namespace {

using ring::Modulus;

double log2_product(const std::vector<std::uint64_t>& primes) {
  double sum = 0;
  for (const std::uint64_t prime : primes) sum += std::log2(static_cast<double>(prime));
  return sum;
}

const Parameters& checked(const Parameters& parameters) {
  const std::uint32_t n = parameters.n;
  if (!std::has_single_bit(n) || n < kMinDegree || n > kMaxDegree) {
    fail_input("the ring degree must be a power of two from {} to {}, not {}", kMinDegree, kMaxDegree, n);
  }
  if (parameters.data_primes.empty() || parameters.data_primes.size() > kMaxPrimes) {
    fail_input("the ciphertext modulus has {} primes: 1 to {} are allowed", parameters.data_primes.size(),
               kMaxPrimes);
  }
  if (parameters.special_primes.size() > kMaxPrimes) {
    fail_input("there are {} special primes: at most {} are allowed", parameters.special_primes.size(),
               kMaxPrimes);
  }
  if (parameters.digits > parameters.data_primes.size()) {
    fail_input("{} digits are more than the {} primes of the ciphertext modulus", parameters.digits,
               parameters.data_primes.size());
  }
  std::set<std::uint64_t> seen;
  check_primes(parameters.data_primes, n, kMinPrimeBits, kMaxPrimeBits, "ciphertext", seen);
  check_primes(parameters.special_primes, n, kMinPrimeBits, kMaxPrimeBits, "special", seen);
  return parameters;
}

}  // namespace

std::size_t Parameters::digit_primes() const {
  const std::size_t groups = digits == 0 ? data_primes.size() : digits;
  return (data_primes.size() + groups - 1) / groups;
}
double Parameters::log2_q() const { return log2_product(data_primes); }
double Parameters::log2_qp() const { return log2_q() + log2_product(special_primes); }

std::vector<std::uint64_t> free_primes(int bits, std::uint32_t n, std::size_t count,
                                       std::span<const std::uint64_t> taken) {
  if (bits < kMinPrimeBits || bits > kMaxPrimeBits) {
    fail_input("primes of a ciphertext modulus have {} to {} bits, not {}", kMinPrimeBits, kMaxPrimeBits,
               bits);
  }
  if (!std::has_single_bit(n)) fail_input("the ring degree must be a power of two, not {}", n);
  if (count > kMaxPrimes) {
    fail_input("{} primes of one size are more than the {} that any use here needs", count, kMaxPrimes);
  }
  std::vector<std::uint64_t> primes = ring::ntt_primes(bits, n, count + taken.size());
  std::erase_if(primes, [&](std::uint64_t prime) {
    return std::find(taken.begin(), taken.end(), prime) != taken.end();
  });
  if (primes.size() > count) primes.resize(count);
  return primes;
}

std::vector<std::uint64_t> primes(int bits, std::uint32_t n, std::size_t count,
                                  std::span<const std::uint64_t> taken) {
  std::vector<std::uint64_t> found = free_primes(bits, n, count, taken);
  if (found.size() < count) {
    fail_input(
        "there are only {} free primes of {} bits that are 1 modulo {}, but {} are needed: take larger ones",
        found.size(), bits, 2 * static_cast<std::uint64_t>(n), count);
  }
  return found;
}

void check_primes(std::span<const std::uint64_t> primes, std::uint32_t n, int min_bits, int max_bits,
                  std::string_view name, std::set<std::uint64_t>& taken) {
  const std::uint64_t order = 2 * std::uint64_t{n};
  for (const std::uint64_t prime : primes) {
    const int bits = std::bit_width(prime);
    if (bits < min_bits || bits > max_bits) {
      fail_input("the {} prime {} has {} bits: {} to {} are allowed", name, prime, bits, min_bits, max_bits);
    }
    if (prime % order != 1) fail_input("the {} prime {} is not 1 modulo {}", name, prime, order);
    if (!ring::is_prime(prime)) fail_input("the {} modulus factor {} is not a prime", name, prime);
    if (!taken.insert(prime).second) fail_input("the {} prime {} is given twice", name, prime);
  }
}

Context::Context(const Parameters& parameters) : parameters_(checked(parameters)) {
  for (const std::uint64_t prime : parameters_.data_primes) tables_.emplace_back(n(), prime);
  for (const std::uint64_t prime : parameters_.special_primes) tables_.emplace_back(n(), prime);
  for (std::size_t i = 0; i < data(); ++i) {
    const Modulus& q = modulus(i);
    std::uint64_t p = 1;
    for (const std::uint64_t prime : parameters_.special_primes) p = q.mul(p, q.reduce(prime));
    special_products_.emplace_back(q, p);
  }
  for (std::size_t primes = 1; primes <= data(); ++primes) levels_.push_back(make_level(primes));
}

std::vector<Modulus> Context::moduli(std::size_t first, std::size_t count) const {
  std::vector<Modulus> result;
  for (std::size_t i = first; i < first + count; ++i) result.push_back(modulus(i));
  return result;
}

Level Context::make_level(std::size_t primes) const {
  Level level;
  const std::vector<Modulus> q = moduli(0, primes), specials = moduli(data(), special());
  for (const Modulus& prime : q) level.log2_q += std::log2(static_cast<double>(prime.value()));
  const std::size_t group = parameters_.digit_primes();
  for (std::size_t first = 0; first < primes; first += group) {
    const std::size_t count = std::min(group, primes - first);
    std::vector<Modulus> others = q;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(first),
                 others.begin() + static_cast<std::ptrdiff_t>(first + count));
    others.insert(others.end(), specials.begin(), specials.end());
    level.digits.push_back({first, count, ring::BaseConverter(moduli(first, count), others)});
  }
  if (special() > 0) level.drop_special.emplace(specials, q);
  if (primes > 1) {
    std::vector<Modulus> dropped = specials;
    dropped.push_back(q.back());
    level.drop_special_and_last.emplace(dropped, std::span(q).first(primes - 1));
  }
  return level;
}

}  // namespace ap::rlwe

// Small secret polynomials and their residues, and products of one prime's values. Constant time in the values.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/memory.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/context.h"
#include "random/prng.h"

namespace ap::rlwe {

/// Where errors come from. `none_for_tests` exists for tests that must tell rounding from noise; no protocol message
/// can select it.
enum class ErrorSource { centred_binomial, none_for_tests };

/// x mod q for |x| < q, without a branch.
inline std::uint64_t small_residue(std::int8_t x, std::uint64_t q) {
  const auto wide = static_cast<std::int64_t>(x);
  return static_cast<std::uint64_t>(wide) + (q & static_cast<std::uint64_t>(wide >> 63));
}

/// `count` fresh errors, or zeros for ErrorSource::none_for_tests.
inline SecretVector<std::int8_t> draw_errors(std::size_t count, Prng& prng,
                                             ErrorSource source = ErrorSource::centred_binomial) {
  SecretVector<std::int8_t> errors(count);
  if (source == ErrorSource::centred_binomial) sample_error(prng, errors);
  return errors;
}

/// out = the N residues of a small signed polynomial modulo prime i of the context, in NTT form.
void small_to_ntt(const Context& context, std::span<const std::int8_t> small, std::size_t i,
                  std::span<std::uint64_t> out);

/// A small polynomial in NTT form modulo the first `primes` primes of the context, data primes before special ones.
SecretVector<std::uint64_t> small_polynomial(const Context& context, std::span<const std::int8_t> small,
                                             std::size_t primes);
/// Such a polynomial with uniform ternary coefficients.
SecretVector<std::uint64_t> draw_ternary(const Context& context, std::size_t primes, Prng& prng);

/// sum += x y and sum -= x y for N values modulo prime i of the context.
void add_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                 std::span<const std::uint64_t> y, std::span<std::uint64_t> sum);
void subtract_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                      std::span<const std::uint64_t> y, std::span<std::uint64_t> sum);

/// out_k = start_k + x y_k modulo prime i for k = 0, 1; a start may be nullptr, for zero, or the out of its k.
void product_pair(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                  std::span<const std::uint64_t> y0, std::span<const std::uint64_t> y1,
                  const std::uint64_t* start0, const std::uint64_t* start1, std::span<std::uint64_t> out0,
                  std::span<std::uint64_t> out1);

/// That x and y can be multiplied: one context and level, degree 1, NTT form.
void check_factors(const Ciphertext& x, const Ciphertext& y);
/// (out0, out1) = (x_0 y_0, x_0 y_1 + x_1 y_0) modulo prime i.
void product_start(const Context& context, std::size_t i, const Ciphertext& x, const Ciphertext& y,
                   std::span<std::uint64_t> out0, std::span<std::uint64_t> out1);

/// Words of all parts below which threads cost more than they save.
inline constexpr std::size_t kLeastParallelWords = std::size_t{1} << 16;
/// body(i) for i < count, each about a part of N words: on all cores if there is much to do.
void for_parts(const Context& context, std::size_t count, const std::function<void(std::size_t)>& body);

/// Pointers, for reading, to `count` consecutive parts of N values from part `first` of a polynomial on.
std::vector<const std::uint64_t*> parts(const Context& context, std::span<const std::uint64_t> polynomial,
                                        std::size_t first, std::size_t count);

}  // namespace ap::rlwe

#include "he/ckks/evaluate.h"

#include <cmath>

#include "base/error.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/polynomial.h"
#include "ring/primes.h"

namespace ap::ckks {
namespace {

void check_scales(const Scale& x, const Scale& y) {
  if (!(x == y)) {
    fail_input(
        "values of scale {} and of scale {} cannot be added: rescale one, or multiply it by a constant encoded "
        "at the scale that takes it to the other",
        x.text(), y.text());
  }
}

void check_same(const Ciphertext& x, const Ciphertext& y) {
  AP_ASSERT(x.context() == y.context());
  if (x.level() != y.level()) {
    fail_input("ciphertexts of {} and of {} primes cannot be combined: drop the other primes first",
               x.level(), y.level());
  }
}

void check_sum(const Ciphertext& x, const Ciphertext& y) {
  check_same(x, y);
  if (x.degree() != y.degree()) {
    fail_input("ciphertexts of degree {} and {} cannot be added: relinearise the product first", x.degree(),
               y.degree());
  }
  check_scales(x.scale(), y.scale());
}

void check_plain(const Ciphertext& x, const Plaintext& y) {
  AP_ASSERT(x.context() == y.context());
  if (y.level() < x.level()) {
    fail_input("a plaintext of {} primes cannot meet a ciphertext of {}: encode it for at least as many",
               y.level(), x.level());
  }
}

void check_degree(const Ciphertext& x) {
  if (x.degree() != 1) fail_input("a product of degree 2 must be relinearised first");
}

using Kernel = void (*)(const std::uint64_t*, const std::uint64_t*, std::uint64_t, std::uint64_t*,
                        std::size_t);

void combine_plain(Ciphertext& x, const Plaintext& y, Kernel ring::ElementwiseKernels::*kernel) {
  check_plain(x, y);
  check_scales(x.scale(), y.scale());
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = x.context()->modulus(i);
    const std::span<std::uint64_t> part = x.polynomials().part(0, i);
    (ring::elementwise(q).*kernel)(part.data(), y.polynomial().part(i).data(), q.value(), part.data(),
                                   part.size());
  }
}

// round(value scale), below 2^62.
std::int64_t constant(double value, const Scale& scale) {
  const double scaled = static_cast<double>(scale.value() * DoubleDouble(value));
  if (!(std::abs(scaled) < 0x1p62)) {
    fail_input("the constant {} at the scale {} does not fit 62 bits", value, scale.text());
  }
  return std::llrint(scaled);
}

std::uint64_t residue(std::int64_t x, const ring::Modulus& q) {
  const std::uint64_t magnitude = q.reduce(static_cast<std::uint64_t>(x < 0 ? -x : x));
  return x < 0 ? q.sub(0, magnitude) : magnitude;
}

// factor(i): what polynomial k is multiplied with modulo prime i, for the two halves of the values.
template <typename Factor>
Ciphertext multiplied(const Ciphertext& x, Scale scale, const Factor& factor) {
  const std::size_t n = x.context()->n();
  rlwe::Ciphertext y(x.context(), x.level(), x.degree());
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = x.context()->modulus(i);
    for (std::size_t half = 0; half < 2; ++half) {
      const ring::FixedFactor w(q, factor(q, half));
      for (std::size_t k = 0; k <= x.degree(); ++k) {
        ring::elementwise(q).multiply(x.polynomials().part(k, i).data() + half * n / 2, w, q,
                                      y.part(k, i).data() + half * n / 2, n / 2);
      }
    }
  }
  return {std::move(y), std::move(scale)};
}

Ciphertext automorphism(const Ciphertext& x, std::uint32_t element, const rlwe::GaloisKeys& keys) {
  check_degree(x);
  return {rlwe::apply_automorphism(x.polynomials(), element, keys), x.scale()};
}

}  // namespace

void add(Ciphertext& x, const Ciphertext& y) {
  check_sum(x, y);
  rlwe::add(x.polynomials(), y.polynomials());
}

void subtract(Ciphertext& x, const Ciphertext& y) {
  check_sum(x, y);
  rlwe::subtract(x.polynomials(), y.polynomials());
}

void negate(Ciphertext& x) {
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = x.context()->modulus(i);
    for (std::size_t k = 0; k <= x.degree(); ++k) {
      for (std::uint64_t& value : x.polynomials().part(k, i)) value = q.negate(value);
    }
  }
}

void add_plain(Ciphertext& x, const Plaintext& y) { combine_plain(x, y, &ring::ElementwiseKernels::add); }
void subtract_plain(Ciphertext& x, const Plaintext& y) {
  combine_plain(x, y, &ring::ElementwiseKernels::subtract);
}

void add_constant(Ciphertext& x, double value) {
  const std::int64_t whole = constant(value, x.scale());
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = x.context()->modulus(i);
    const std::uint64_t term = residue(whole, q);
    for (std::uint64_t& to : x.polynomials().part(0, i)) to = q.add(to, term);
  }
}

Ciphertext multiply_plain(const Ciphertext& x, const Plaintext& y) {
  const Ciphertext* const xs[] = {&x};
  const Plaintext* const ys[] = {&y};
  return multiply_plain_sum(xs, ys);
}

Ciphertext multiply_plain_sum(std::span<const Ciphertext* const> x, std::span<const Plaintext* const> y) {
  AP_ASSERT(!x.empty() && x.size() == y.size());
  const Scale scale = x[0]->scale() * y[0]->scale();
  std::vector<const rlwe::Ciphertext*> ciphertexts;
  std::vector<const rlwe::Plaintext*> plaintexts;
  for (std::size_t k = 0; k < x.size(); ++k) {
    check_degree(*x[k]);
    check_same(*x[0], *x[k]);
    check_plain(*x[k], *y[k]);
    if (k > 0) check_scales(scale, x[k]->scale() * y[k]->scale());
    ciphertexts.push_back(&x[k]->polynomials());
    plaintexts.push_back(&y[k]->polynomial());
  }
  rlwe::Ciphertext sum(x[0]->context(), x[0]->level());
  rlwe::multiply_plain_add(ciphertexts, plaintexts, sum);
  return {std::move(sum), scale};
}

Ciphertext multiply_constant(const Ciphertext& x, double value, const Scale& scale) {
  const std::int64_t whole = constant(value, scale);
  return multiplied(x, x.scale() * scale,
                    [&](const ring::Modulus& q, std::size_t) { return residue(whole, q); });
}

// i is X^(N/2) in every slot. Value j of a transform is that at psi^(2 rev(j) + 1), so X^(N/2) is psi^(N/2) in the first
// half of the values, where rev(j) is even, and its negative in the second.
Ciphertext multiply_by_i(const Ciphertext& x) {
  const std::size_t n = x.context()->n();
  return multiplied(x, x.scale(), [&](const ring::Modulus& q, std::size_t half) {
    const std::uint64_t root = q.pow(ring::primitive_root(q, n), n / 2);
    return half == 0 ? root : q.negate(root);
  });
}

Ciphertext multiply(const Ciphertext& x, const Ciphertext& y) {
  check_same(x, y);
  check_degree(x);
  check_degree(y);
  return {rlwe::multiply(x.polynomials(), y.polynomials()), x.scale() * y.scale()};
}

Ciphertext relinearise(const Ciphertext& x, const rlwe::RelinearisationKey& key) {
  if (x.degree() != 2) fail_input("a ciphertext of degree {} needs no relinearisation", x.degree());
  return {rlwe::relinearise(x.polynomials(), key), x.scale()};
}

Ciphertext multiply_rescale(const Ciphertext& x, const Ciphertext& y, const rlwe::RelinearisationKey& key) {
  check_same(x, y);
  check_degree(x);
  check_degree(y);
  if (x.level() < 2) fail_input("a product at level 1 cannot be rescaled: no prime would be left");
  return {rlwe::multiply_rescale(x.polynomials(), y.polynomials(), key),
          product_scale(*x.context(), x.level(), x.scale(), y.scale())};
}

Scale product_scale(const rlwe::Context& context, std::size_t level, const Scale& x, const Scale& y) {
  return x * y / Scale::integer(context.modulus(level - 1).value());
}

Scale factor_scale(const rlwe::Context& context, std::size_t level, const Scale& from, const Scale& to) {
  return to * Scale::integer(context.modulus(level - 1).value()) / from;
}

Ciphertext rescale(const Ciphertext& x, std::size_t primes) {
  if (primes >= x.level()) {
    fail_input("a ciphertext of {} primes cannot be rescaled by {}: at least one must be left", x.level(),
               primes);
  }
  Scale scale = x.scale();
  for (std::size_t i = x.level() - primes; i < x.level(); ++i) {
    scale = scale / Scale::integer(x.context()->modulus(i).value());
  }
  return {rlwe::rescale(x.polynomials(), x.level() - primes), std::move(scale)};
}

Ciphertext drop_level(const Ciphertext& x, std::size_t level) {
  return {rlwe::drop_level(x.polynomials(), level), x.scale()};
}

std::uint32_t rotation_element(const rlwe::Context& context, std::int64_t step) {
  const auto slots = static_cast<std::int64_t>(context.n() / 2);
  const std::int64_t steps = (step % slots + slots) % slots;
  return ring::element_power(5, static_cast<std::uint64_t>(steps), context.n());
}

std::uint32_t conjugation_element(const rlwe::Context& context) {
  return static_cast<std::uint32_t>(2 * context.n() - 1);
}

Ciphertext rotate(const Ciphertext& x, std::int64_t step, const rlwe::GaloisKeys& keys) {
  return automorphism(x, rotation_element(*x.context(), step), keys);
}

std::vector<Ciphertext> rotate(const Ciphertext& x, std::span<const std::int64_t> steps,
                               const rlwe::GaloisKeys& keys) {
  check_degree(x);
  const rlwe::Decomposition digits = rlwe::decompose(x.polynomials());
  std::vector<Ciphertext> rotations;
  rotations.reserve(steps.size());
  for (const std::int64_t step : steps) {
    const std::uint32_t element = rotation_element(*x.context(), step);
    rotations.emplace_back(rlwe::apply_automorphism(x.polynomials(), digits, element, keys), x.scale());
  }
  return rotations;
}

Ciphertext conjugate(const Ciphertext& x, const rlwe::GaloisKeys& keys) {
  return automorphism(x, conjugation_element(*x.context()), keys);
}

}  // namespace ap::ckks

// Sums, plaintexts, modulus switching and flooding.
#include <algorithm>

#include "base/error.h"
#include "he/bfv/batch_polynomial.h"
#include "he/bfv/batch_scheme.h"
#include "he/bfv/small.h"

namespace ap::bfv {
namespace {

void check_level(const BatchContext& context, std::size_t level, std::size_t wanted) {
  if (level < 1 || level > wanted) {
    fail_input("a ciphertext with {} of {} primes cannot be taken to {} primes", wanted, context.data(),
               level);
  }
}

void for_each_part(BatchCiphertext& x, const BatchCiphertext& y,
                   void (*kernel)(const std::uint64_t*, const std::uint64_t*, std::uint64_t, std::uint64_t*,
                                  std::size_t)) {
  AP_ASSERT(x.context == y.context && x.level == y.level);
  const std::size_t n = x.context->n();
  for (std::size_t i = 0; i < x.level; ++i) {
    const std::uint64_t q = x.context->modulus(i).value();
    kernel(x.c0.data() + i * n, y.c0.data() + i * n, q, x.c0.data() + i * n, n);
    kernel(x.c1.data() + i * n, y.c1.data() + i * n, q, x.c1.data() + i * n, n);
  }
}

}  // namespace

void add(BatchCiphertext& x, const BatchCiphertext& y) { for_each_part(x, y, ring::elementwise().add); }
void subtract(BatchCiphertext& x, const BatchCiphertext& y) {
  for_each_part(x, y, ring::elementwise().subtract);
}

void add_plain(BatchCiphertext& x, std::span<const std::uint64_t> slots) {
  const BatchContext& context = *x.context;
  const std::size_t n = context.n();
  SecretVector<std::uint64_t> coefficients(n), remainder(n);
  encode_slots(context, slots, coefficients);
  scale_up_remainder(context, context.level(x.level), coefficients, remainder);
  for (std::size_t i = 0; i < x.level; ++i) {
    std::fill(coefficients.begin(), coefficients.end(), 0);
    add_scaled(context, context.level(x.level), i, remainder, coefficients);
    context.tables(i).forward(coefficients);
    const std::span<std::uint64_t> part = context.part(std::span(x.c0), i);
    ring::elementwise().add(part.data(), coefficients.data(), context.modulus(i).value(), part.data(), n);
  }
}

BatchPlaintext::BatchPlaintext(const BatchContext& context, std::span<const std::uint64_t> slots,
                               std::size_t level_in)
    : level(level_in), value(level * context.n()) {
  AP_ASSERT(level >= 1 && level <= context.data());
  const std::size_t n = context.n();
  // A coefficient is low + 2^30 high, less p if above p/2: halves that every kernel takes.
  SecretVector<std::uint64_t> low(n), high(n), above(n);
  encode_slots(context, slots, low);
  const std::uint64_t p = context.p().value();
  for (std::size_t j = 0; j < n; ++j) {
    above[j] = (p / 2 - low[j]) >> 63;
    high[j] = low[j] >> 30;
    low[j] &= (std::uint64_t{1} << 30) - 1;
  }
  const std::uint64_t* const terms[] = {low.data(), high.data(), above.data()};
  for (std::size_t i = 0; i < level; ++i) {
    const ring::Modulus& q = context.modulus(i);
    const std::uint64_t weights[] = {1, q.reduce(std::uint64_t{1} << 30), q.negate(q.reduce(p))};
    const std::span<std::uint64_t> part = context.part(std::span(value), i);
    ring::elementwise().dot(terms, weights, 3, q, part.data(), n);
    context.tables(i).forward(part);
  }
}

void multiply_plain_add(std::span<const BatchCiphertext* const> x, std::span<const BatchPlaintext* const> w,
                        BatchCiphertext& sum) {
  AP_ASSERT(x.size() == w.size());
  const std::size_t n = sum.context->n();
  std::vector<const std::uint64_t*> values(x.size()), first(x.size()), second(x.size());
  for (std::size_t i = 0; i < sum.level; ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      AP_ASSERT(x[k]->context == sum.context && x[k]->level == sum.level && w[k]->level >= sum.level);
      values[k] = w[k]->value.data() + i * n;
      first[k] = x[k]->c0.data() + i * n;
      second[k] = x[k]->c1.data() + i * n;
    }
    const ring::NttTables& tables = sum.context->tables(i);
    tables.multiply_add(first, values, sum.context->part(std::span(sum.c0), i));
    tables.multiply_add(second, values, sum.context->part(std::span(sum.c1), i));
  }
}

BatchCiphertext multiply_plain(const BatchCiphertext& x, const BatchPlaintext& w) {
  BatchCiphertext product(x.context, x.level);
  const BatchCiphertext* const left[] = {&x};
  const BatchPlaintext* const right[] = {&w};
  multiply_plain_add(left, right, product);
  return product;
}

BatchCiphertext switch_level(const BatchCiphertext& x, std::size_t level) {
  const BatchContext& context = *x.context;
  const std::size_t n = context.n();
  check_level(context, level, x.level);
  if (context.level(level).log2_q < context.parameters().log2_p() + 2) {
    fail_input("{} primes hold {:.1f} bits, too few for a plaintext modulus of {:.1f} bits", level,
               context.level(level).log2_q, context.parameters().log2_p());
  }
  if (level == x.level) return x;
  const std::size_t dropped = x.level - level;
  const ring::ScaleDown scale(context.moduli(level, dropped), context.moduli(0, level));
  BatchCiphertext y(x.context, level);
  AlignedVector<std::uint64_t> tail(dropped * n), correction(n);
  ring::BaseConverter::Prepared prepared;
  for (const auto& [from, to] : {std::pair(&x.c0, &y.c0), std::pair(&x.c1, &y.c1)}) {
    std::copy_n(from->data() + level * n, dropped * n, tail.data());
    for (std::size_t i = 0; i < dropped; ++i) {
      context.tables(level + i).inverse(context.part(std::span(tail), i));
    }
    scale.converter.prepare(parts(context, tail, 0, dropped), n, prepared);
    for (std::size_t i = 0; i < level; ++i) {
      scale.converter.output(prepared, i, correction);
      context.tables(i).forward(correction);
      ring::elementwise().multiply_add(from->data() + i * n, scale.kept_factor[i], correction.data(),
                                       context.modulus(i), to->data() + i * n, n);
    }
  }
  return y;
}

void flood(const BatchPublicKey& key, int flood_bits, Prng& prng, BatchCiphertext& x) {
  const BatchContext& context = *x.context;
  AP_ASSERT(key.context == x.context);
  const double room = context.level(x.level).log2_q - context.parameters().log2_p() - 1;
  if (flood_bits < 1 || flood_bits >= room) {
    fail_input(
        "flooding with {} bits leaves no room in a ciphertext that decrypts with noise below {:.1f} bits: "
        "between 1 and that are allowed",
        flood_bits, room);
  }
  const std::size_t n = context.n();
  SecretVector<std::int8_t> u(n);
  sample_ternary(prng, u);
  const SecretVector<std::int8_t> e0 = draw_errors(n, prng, ErrorSource::centred_binomial);
  const SecretVector<std::int8_t> e1 = draw_errors(n, prng, ErrorSource::centred_binomial);
  // flood_bits + 1 uniform bits as limbs of 48, less 2^flood_bits.
  const std::size_t limbs = (static_cast<std::size_t>(flood_bits) + 1 + 47) / 48;
  SecretVector<std::uint64_t> uniform(limbs * n), noise(n), u_ntt(n);
  for (std::size_t k = 0; k < limbs; ++k) {
    const int bits = std::min(48, flood_bits + 1 - 48 * static_cast<int>(k));
    sample_bits(prng, bits, context.part(std::span(uniform), k));
  }
  const std::vector<const std::uint64_t*> terms = parts(context, uniform, 0, limbs);
  std::vector<std::uint64_t> weights(limbs);
  for (std::size_t i = 0; i < x.level; ++i) {
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t k = 0; k < limbs; ++k) weights[k] = q.pow(2, 48 * k);
    ring::elementwise().dot(terms.data(), weights.data(), limbs, q, noise.data(), n);
    const std::uint64_t offset = q.negate(q.pow(2, static_cast<std::uint64_t>(flood_bits)));
    for (std::size_t j = 0; j < n; ++j) {
      noise[j] = q.add(q.add(noise[j], offset), small_residue(e0[j], q.value()));
    }
    context.tables(i).forward(noise);
    small_to_ntt(context, u, i, u_ntt);
    const std::uint64_t* const factor[] = {u_ntt.data()};
    const std::uint64_t* const b[] = {key.b.data() + i * n};
    const std::uint64_t* const a[] = {key.a.data() + i * n};
    const std::span<std::uint64_t> c0 = context.part(std::span(x.c0), i),
                                   c1 = context.part(std::span(x.c1), i);
    context.tables(i).multiply_add(factor, b, c0);
    ring::elementwise().add(c0.data(), noise.data(), q.value(), c0.data(), n);
    small_to_ntt(context, e1, i, noise);
    context.tables(i).multiply_add(factor, a, c1);
    ring::elementwise().add(c1.data(), noise.data(), q.value(), c1.data(), n);
  }
}

}  // namespace ap::bfv

// Products of two ciphertexts: extension from q to q B, the tensor product there, division by q / p with
// rounding into B, and back to q. With centred operands the results are below N q p / 2 < B / 2.
#include <algorithm>

#include "base/error.h"
#include "he/bfv/batch_polynomial.h"
#include "he/bfv/batch_scheme.h"

namespace ap::bfv {
namespace {

using Polynomial = AlignedVector<std::uint64_t>;

// The residues modulo B, in NTT form, of a polynomial in NTT form modulo q.
Polynomial extend(const BatchContext& context, std::size_t level, const Polynomial& x) {
  const BatchLevel::Product& product = *context.level(level).product;
  Polynomial coefficients(x), extended(product.helpers * context.n());
  for (std::size_t i = 0; i < level; ++i) {
    context.tables(i).inverse(context.part(std::span(coefficients), i));
  }
  ring::BaseConverter::Prepared prepared;
  product.extend.prepare(parts(context, coefficients, 0, level), context.n(), prepared);
  for (std::size_t j = 0; j < product.helpers; ++j) {
    const std::span<std::uint64_t> part = context.part(std::span(extended), j);
    product.extend.output(prepared, j, part);
    context.helper_tables(j).forward(part);
  }
  return extended;
}

// round(p/q x) modulo q in NTT form; x modulo q and B in NTT form, overwritten.
Polynomial scale_back(const BatchContext& context, std::size_t level, Polynomial& over_q,
                      Polynomial& over_b) {
  const BatchLevel::Product& product = *context.level(level).product;
  const std::size_t n = context.n();
  for (std::size_t i = 0; i < level; ++i) context.tables(i).inverse(context.part(std::span(over_q), i));
  ring::BaseConverter::Prepared prepared;
  product.scale.converter.prepare(parts(context, over_q, 0, level), n, prepared);
  Polynomial correction(n);
  for (std::size_t j = 0; j < product.helpers; ++j) {
    const std::span<std::uint64_t> part = context.part(std::span(over_b), j);
    const ring::NttTables& tables = context.helper_tables(j);
    tables.inverse(part);
    product.scale.converter.output(prepared, j, correction);
    ring::elementwise().multiply_add(part.data(), product.scale.kept_factor[j], correction.data(),
                                     tables.modulus(), part.data(), n);
  }
  product.back.prepare(parts(context, over_b, 0, product.helpers), n, prepared);
  for (std::size_t i = 0; i < level; ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(over_q), i);
    product.back.output(prepared, i, part);
    context.tables(i).forward(part);
  }
  return std::move(over_q);
}

}  // namespace

BatchProduct multiply(const BatchCiphertext& x, const BatchCiphertext& y) {
  AP_ASSERT(x.context == y.context && x.level == y.level);
  const BatchContext& context = *x.context;
  const std::size_t n = context.n(), level = x.level;
  if (!context.parameters().products) {
    fail_input("these batching parameters do not prepare products of ciphertexts: set `products`");
  }
  const std::size_t helpers = context.level(level).product->helpers;
  const Polynomial x0 = extend(context, level, x.c0), x1 = extend(context, level, x.c1);
  const Polynomial y0 = extend(context, level, y.c0), y1 = extend(context, level, y.c1);
  Polynomial over_q[3], over_b[3];
  for (std::size_t k = 0; k < 3; ++k) {
    over_q[k].resize(level * n);
    over_b[k].resize(helpers * n);
  }
  const auto tensor = [n](const ring::NttTables& tables, std::size_t i, const Polynomial& u0,
                          const Polynomial& u1, const Polynomial& v0, const Polynomial& v1, Polynomial* out) {
    const std::uint64_t* const us[] = {u0.data() + i * n, u1.data() + i * n};
    const std::uint64_t* const vs[] = {v1.data() + i * n, v0.data() + i * n};
    const auto at = [&](std::size_t k) { return std::span(out[k]).subspan(i * n, n); };
    tables.multiply_add(std::span(us).first(1), std::span(vs).last(1), at(0));
    tables.multiply_add(us, vs, at(1));
    tables.multiply_add(std::span(us).last(1), std::span(vs).first(1), at(2));
  };
  for (std::size_t i = 0; i < level; ++i) {
    tensor(context.tables(i), i, x.c0, x.c1, y.c0, y.c1, over_q);
  }
  for (std::size_t j = 0; j < helpers; ++j) tensor(context.helper_tables(j), j, x0, x1, y0, y1, over_b);
  return {x.context, level, scale_back(context, level, over_q[0], over_b[0]),
          scale_back(context, level, over_q[1], over_b[1]), scale_back(context, level, over_q[2], over_b[2])};
}

void add(BatchProduct& x, const BatchProduct& y) {
  AP_ASSERT(x.context == y.context && x.level == y.level);
  const std::size_t n = x.context->n();
  for (std::size_t i = 0; i < x.level; ++i) {
    const std::uint64_t q = x.context->modulus(i).value();
    for (const auto& [to, from] :
         {std::pair(&x.c0, &y.c0), std::pair(&x.c1, &y.c1), std::pair(&x.c2, &y.c2)}) {
      ring::elementwise().add(to->data() + i * n, from->data() + i * n, q, to->data() + i * n, n);
    }
  }
}

KeySwitchKey make_relinearisation_key(const BatchSecretKey& key, Prng& prng) {
  const BatchContext& context = *key.context;
  const std::size_t n = context.n();
  SecretVector<std::uint64_t> square(key.s.size());
  for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
    const std::uint64_t* const s[] = {key.s.data() + i * n};
    context.tables(i).multiply_add(s, s, context.part(std::span(square), i));
  }
  return {key.context, square, key.s, prng};
}

BatchCiphertext relinearise(const BatchProduct& x, const KeySwitchKey& key) {
  AP_ASSERT(x.context == key.context());
  BatchCiphertext y(x.context, x.level);
  y.c0 = x.c0;
  y.c1 = x.c1;
  key_switch_add(x.c2, x.level, key, y.c0, y.c1);
  return y;
}

}  // namespace ap::bfv

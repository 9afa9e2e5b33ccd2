// Products of two ciphertexts: extension from q to q B, the tensor product there, division by q / p with
// rounding into B, and back to q. With centred operands the results are below N q p / 2 < B / 2.
#include <algorithm>

#include "base/error.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/polynomial.h"

namespace ap::bfv {
namespace {

using Polynomial = AlignedVector<std::uint64_t>;

// The residues modulo B, in NTT form, of a polynomial in NTT form modulo q.
Polynomial extend(const BatchContext& context, std::size_t level, std::span<const std::uint64_t> x) {
  const PlainLevel::Product& product = *context.plain_level(level).product;
  Polynomial coefficients(x.begin(), x.end()), extended(product.helpers * context.n());
  for (std::size_t i = 0; i < level; ++i) {
    context.tables(i).inverse(context.part(std::span(coefficients), i));
  }
  ring::BaseConverter::Prepared prepared;
  product.extend.prepare(rlwe::parts(context, coefficients, 0, level), context.n(), prepared);
  for (std::size_t j = 0; j < product.helpers; ++j) {
    const std::span<std::uint64_t> part = context.part(std::span(extended), j);
    product.extend.output(prepared, j, part);
    context.helper_tables(j).forward(part);
  }
  return extended;
}

// From x modulo q and B to round(p/q x) modulo q, in `over_q`; everything in NTT form, `over_b` is overwritten.
void scale_back(const BatchContext& context, std::size_t level, std::span<std::uint64_t> over_q,
                std::span<std::uint64_t> over_b) {
  const PlainLevel::Product& product = *context.plain_level(level).product;
  const std::size_t n = context.n();
  for (std::size_t i = 0; i < level; ++i) context.tables(i).inverse(context.part(over_q, i));
  ring::BaseConverter::Prepared prepared;
  product.scale.converter.prepare(rlwe::parts(context, over_q, 0, level), n, prepared);
  Polynomial correction(n);
  for (std::size_t j = 0; j < product.helpers; ++j) {
    const std::span<std::uint64_t> part = context.part(over_b, j);
    const ring::NttTables& tables = context.helper_tables(j);
    tables.inverse(part);
    product.scale.converter.output(prepared, j, correction);
    ring::elementwise().multiply_add(part.data(), product.scale.kept_factor[j], correction.data(),
                                     tables.modulus(), part.data(), n);
  }
  product.back.prepare(rlwe::parts(context, over_b, 0, product.helpers), n, prepared);
  for (std::size_t i = 0; i < level; ++i) {
    const std::span<std::uint64_t> part = context.part(over_q, i);
    product.back.output(prepared, i, part);
    context.tables(i).forward(part);
  }
}

}  // namespace

rlwe::Ciphertext multiply(const BatchContext& context, const rlwe::Ciphertext& x, const rlwe::Ciphertext& y) {
  AP_ASSERT(x.context().get() == &context && y.context() == x.context() && x.level() == y.level() &&
            x.degree() == 1 && y.degree() == 1 && x.form() == rlwe::Form::ntt && y.form() == rlwe::Form::ntt);
  const std::size_t n = context.n(), level = x.level();
  if (!context.parameters().products) {
    fail_input("these batching parameters do not prepare products of ciphertexts: set `products`");
  }
  const std::size_t helpers = context.plain_level(level).product->helpers;
  const Polynomial x0 = extend(context, level, x[0]), x1 = extend(context, level, x[1]);
  const Polynomial y0 = extend(context, level, y[0]), y1 = extend(context, level, y[1]);
  rlwe::Ciphertext product(x.context(), level, 2);
  Polynomial over_b[3];
  for (Polynomial& polynomial : over_b) polynomial.resize(helpers * n);
  // (u0, u1) (v0, v1) = (u0 v0, u0 v1 + u1 v0, u1 v1) for N values modulo one prime.
  const auto tensor = [](const ring::NttTables& tables, const std::uint64_t* u0, const std::uint64_t* u1,
                         const std::uint64_t* v0, const std::uint64_t* v1, const auto& at) {
    const std::uint64_t* const us[] = {u0, u1};
    const std::uint64_t* const vs[] = {v1, v0};
    tables.multiply_add(std::span(us).first(1), std::span(vs).last(1), at(0));
    tables.multiply_add(us, vs, at(1));
    tables.multiply_add(std::span(us).last(1), std::span(vs).first(1), at(2));
  };
  for (std::size_t i = 0; i < level; ++i) {
    tensor(context.tables(i), x.part(0, i).data(), x.part(1, i).data(), y.part(0, i).data(),
           y.part(1, i).data(), [&](std::size_t k) { return product.part(k, i); });
  }
  for (std::size_t j = 0; j < helpers; ++j) {
    const std::size_t at = j * n;
    tensor(context.helper_tables(j), x0.data() + at, x1.data() + at, y0.data() + at, y1.data() + at,
           [&](std::size_t k) { return context.part(std::span(over_b[k]), j); });
  }
  for (std::size_t k = 0; k < 3; ++k) scale_back(context, level, product[k], over_b[k]);
  return product;
}

}  // namespace ap::bfv

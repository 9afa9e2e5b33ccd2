#include "he/rlwe/evaluate.h"

#include <algorithm>

#include "base/error.h"
#include "he/rlwe/digits.h"
#include "he/rlwe/polynomial.h"
#include "ring/scratch.h"

namespace ap::rlwe {
namespace {

// Products that are summed for both polynomials in turn, so that the second use finds the plaintexts in the cache.
constexpr std::size_t kTermsTogether = 16;

using Kernel = void (*)(const std::uint64_t*, const std::uint64_t*, std::uint64_t, std::uint64_t*,
                        std::size_t);

void for_each_part(Ciphertext& x, const Ciphertext& y, Kernel ring::ElementwiseKernels::*kernel) {
  AP_ASSERT(x.context() == y.context() && x.level() == y.level() && x.degree() == y.degree() &&
            x.form() == y.form());
  for_parts(*x.context(), (x.degree() + 1) * x.level(), [&](std::size_t at) {
    const std::size_t k = at / x.level(), i = at % x.level();
    const ring::Modulus& q = x.context()->modulus(i);
    const std::span<std::uint64_t> to = x.part(k, i);
    (ring::elementwise(q).*kernel)(to.data(), y.part(k, i).data(), q.value(), to.data(), to.size());
  });
}

void check_level(const Ciphertext& x, std::size_t level) {
  if (level < 1 || level > x.level()) {
    fail_input("a ciphertext with {} of {} primes cannot be taken to {} primes", x.level(),
               x.context()->data(), level);
  }
}

}  // namespace

void add(Ciphertext& x, const Ciphertext& y) { for_each_part(x, y, &ring::ElementwiseKernels::add); }
void subtract(Ciphertext& x, const Ciphertext& y) {
  for_each_part(x, y, &ring::ElementwiseKernels::subtract);
}

void multiply_plain_add(std::span<const Ciphertext* const> x, std::span<const Plaintext* const> w,
                        Ciphertext& sum) {
  AP_ASSERT(x.size() == w.size() && sum.form() == Form::ntt && sum.degree() == 1);
  std::vector<const std::uint64_t*> values(x.size()), first(x.size()), second(x.size());
  for (std::size_t i = 0; i < sum.level(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      AP_ASSERT(x[k]->context() == sum.context() && x[k]->level() == sum.level() && x[k]->degree() == 1 &&
                x[k]->form() == Form::ntt && w[k]->level() >= sum.level());
      values[k] = w[k]->part(i).data();
      first[k] = x[k]->part(0, i).data();
      second[k] = x[k]->part(1, i).data();
    }
    const ring::NttTables& tables = sum.context()->tables(i);
    for (std::size_t at = 0; at < x.size(); at += kTermsTogether) {
      const std::size_t count = std::min(kTermsTogether, x.size() - at);
      const auto terms = std::span(values).subspan(at, count);
      tables.multiply_add(std::span(first).subspan(at, count), terms, sum.part(0, i));
      tables.multiply_add(std::span(second).subspan(at, count), terms, sum.part(1, i));
    }
  }
}

void multiply_plain_add(const Ciphertext& x, const Plaintext& w, Ciphertext& sum) {
  const Ciphertext* const xs[] = {&x};
  const Plaintext* const ws[] = {&w};
  multiply_plain_add(xs, ws, sum);
}

Ciphertext multiply_plain(const Ciphertext& x, const Plaintext& w) {
  Ciphertext product(x.context(), x.level());
  multiply_plain_add(x, w, product);
  return product;
}

Ciphertext multiply(const Ciphertext& x, const Ciphertext& y) {
  check_factors(x, y);
  Ciphertext product = Ciphertext::unwritten(x.context(), x.level(), 2);
  for_parts(*x.context(), x.level(), [&](std::size_t i) {
    const std::span<std::uint64_t> middle = product.part(1, i);
    product_pair(*x.context(), i, x.part(0, i), y.part(0, i), y.part(1, i), nullptr, nullptr,
                 product.part(0, i), middle);
    product_pair(*x.context(), i, x.part(1, i), y.part(0, i), y.part(1, i), middle.data(), nullptr, middle,
                 product.part(2, i));
  });
  return product;
}

Ciphertext rescale(const Ciphertext& x, std::size_t level) {
  check_level(x, level);
  if (level == x.level()) return x;
  const Context& context = *x.context();
  const std::size_t n = context.n(), dropped = x.level() - level;
  const bool ntt = x.form() == Form::ntt;
  const ring::ScaleDown scale(context.moduli(level, dropped), context.moduli(0, level));
  Ciphertext y = Ciphertext::unwritten(x.context(), level, x.degree(), x.form());
  ring::Scratch tail(dropped * n);
  std::vector<const std::uint64_t*> terms;
  for (std::size_t i = 0; i < dropped; ++i) terms.push_back(tail.data() + i * n);
  ring::BaseConverter::Prepared prepared;
  for (std::size_t k = 0; k <= x.degree(); ++k) {
    for_parts(context, dropped, [&](std::size_t i) {
      const std::span<std::uint64_t> words = tail.words(i * n, n);
      std::ranges::copy(x.part(k, level + i), words.begin());
      if (ntt) context.tables(level + i).inverse(words);
    });
    scale.converter.prepare(terms, n, prepared);
    for_prime_runs(context, 0, level, [&](std::size_t first, std::size_t count) {
      ring::Scratch corrections(count * n);
      std::uint64_t* outputs[kPrimesTogether];
      for (std::size_t i = 0; i < count; ++i) outputs[i] = corrections.data() + i * n;
      scale.converter.outputs(prepared, first, std::span(outputs, count));
      for (std::size_t i = first; i < first + count; ++i) {
        const std::span<std::uint64_t> correction = corrections.words((i - first) * n, n);
        if (ntt) context.tables(i).forward(correction);
        const ring::Modulus& q = context.modulus(i);
        ring::elementwise(q).multiply_add(x.part(k, i).data(), scale.kept_factor[i], correction.data(), q,
                                          y.part(k, i).data(), n);
      }
    });
  }
  return y;
}

Ciphertext drop_level(const Ciphertext& x, std::size_t level) {
  check_level(x, level);
  Ciphertext y = Ciphertext::unwritten(x.context(), level, x.degree(), x.form());
  for (std::size_t k = 0; k <= x.degree(); ++k) std::copy_n(x[k].begin(), y[k].size(), y[k].begin());
  return y;
}

Ciphertext moved(const Ciphertext& x, ContextPtr context) {
  AP_ASSERT(context->n() == x.context()->n() && context->data() >= x.level());
  for (std::size_t i = 0; i < x.level(); ++i) {
    AP_ASSERT(context->modulus(i).value() == x.context()->modulus(i).value());
  }
  Ciphertext y = Ciphertext::unwritten(std::move(context), x.level(), x.degree(), x.form());
  for (std::size_t k = 0; k <= x.degree(); ++k) std::copy(x[k].begin(), x[k].end(), y[k].begin());
  return y;
}

}  // namespace ap::rlwe

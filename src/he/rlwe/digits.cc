#include "he/rlwe/digits.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/polynomial.h"
#include "ring/products.h"

namespace ap::rlwe {
namespace {

// Terms of a sum that ring::ProductKernels::pair takes.
constexpr std::size_t kPairs = 15;

using Words = std::span<std::uint64_t>;
using ConstWords = std::span<const std::uint64_t>;

}  // namespace

void for_prime_runs(const Context& context, std::size_t first, std::size_t last,
                    const std::function<void(std::size_t, std::size_t)>& body) {
  if (first == last) return;
  const std::size_t primes = last - first;
  const std::size_t threads = primes * context.n() >= kLeastParallelWords ? thread_count() : 1;
  const std::size_t rounds = (primes + kPrimesTogether * threads - 1) / (kPrimesTogether * threads);
  const std::size_t runs = std::min(primes, rounds * threads);
  const auto one = [&](std::size_t run) {
    const std::size_t begin = first + primes * run / runs, end = first + primes * (run + 1) / runs;
    body(begin, end - begin);
  };
  if (threads == 1) {
    for (std::size_t run = 0; run < runs; ++run) one(run);
  } else {
    parallel_for(runs, one);
  }
}

Digits::Digits(const Context& context, ConstWords polynomial, std::size_t level)
    : context_(context),
      polynomial_(polynomial),
      level_(level),
      digits_(context.level(level).digits),
      prepared_(digits_.size()) {
  AP_ASSERT(polynomial.size() == level * context.n());
  const std::size_t n = context.n();
  ring::Scratch coefficients(level * n);
  for_parts(context, level, [&](std::size_t i) {
    const Words part = coefficients.words(i * n, n);
    std::ranges::copy(context.part(polynomial, i), part.begin());
    context.tables(i).inverse(part);
  });
  for_parts(context, digits_.size(), [&](std::size_t d) {
    std::vector<const std::uint64_t*> terms;
    for (std::size_t k = 0; k < digits_[d].count; ++k) {
      terms.push_back(coefficients.data() + (digits_[d].first + k) * n);
    }
    digits_[d].extend.prepare(terms, n, prepared_[d]);
  });
}

void Digits::extend(std::size_t d, std::size_t first, std::size_t count, std::uint64_t* const* to) const {
  const Level::Digit& digit = digits_[d];
  for (std::size_t i = first; i < first + count;) {
    if (own(d, i)) {
      ++i;
      continue;
    }
    std::size_t last = i;
    while (last < first + count && !own(d, last)) ++last;
    digit.extend.outputs(prepared_[d], i < digit.first ? i : i - digit.count,
                         std::span(to + (i - first), last - i));
    for (; i < last; ++i) {
      (i < level_ ? context_.tables(i) : context_.special_tables(i - level_))
          .forward(Words(to[i - first], context_.n()));
    }
  }
}

Digits::Run::Run(const Digits& digits)
    : digits_(digits), n_(digits.context().n()), values_(digits.count() * kPrimesTogether * n_) {}

void Digits::Run::load(std::size_t first, std::size_t count) {
  AP_ASSERT(count <= kPrimesTogether);
  first_ = first;
  for (std::size_t d = 0; d < digits_.count(); ++d) {
    std::uint64_t* to[kPrimesTogether];
    for (std::size_t k = 0; k < count; ++k) to[k] = values_.data() + (d * kPrimesTogether + k) * n_;
    digits_.extend(d, first, count, to);
  }
}

const std::uint64_t* Digits::Run::at(std::size_t d, std::size_t i) const {
  if (digits_.own(d, i)) return digits_.original(i);
  return values_.data() + (d * kPrimesTogether + i - first_) * n_;
}

StoredDigits::StoredDigits(const Context& context, const Decomposition& digits)
    : n_(context.n()), digits_(digits) {
  AP_ASSERT(digits.digits.size() == context.level(digits.level).digits.size());
}

void digit_products(const KeySwitchKey& key, std::size_t prime, std::span<const std::uint64_t* const> digits,
                    const SumStart& start, Words sum0, Words sum1) {
  const Context& context = *key.context();
  const ring::Modulus& q = context.modulus(prime);
  const std::size_t n = context.n();
  std::vector<const std::uint64_t*> b, a;
  for (std::size_t d = 0; d < digits.size(); ++d) {
    b.push_back(key.b(d, prime));
    a.push_back(key.a(d, prime));
  }
  if (q.bits() <= ring::kNarrowPrimeBits) {
    const ring::ProductKernels& kernels = ring::products(q);
    SumStart from = start;
    std::size_t d = 0;
    do {
      const std::size_t count = std::min(kPairs, digits.size() - d);
      kernels.pair(digits.data() + d, b.data() + d, a.data() + d, count, from.c0, from.c1, from.factor, q,
                   sum0.data(), sum1.data(), n);
      from = {sum0.data(), sum1.data(), 1};
      d += count;
    } while (d < digits.size());
    return;
  }
  const ring::FixedFactor factor(q, start.factor);
  const auto begin = [&](const std::uint64_t* from, Words sum) {
    if (from == nullptr) {
      std::ranges::fill(sum, 0);
    } else {
      ring::elementwise(q).multiply(from, factor, q, sum.data(), n);
    }
  };
  begin(start.c0, sum0);
  begin(start.c1, sum1);
  context.tables(prime).multiply_add(digits, b, sum0);
  context.tables(prime).multiply_add(digits, a, sum1);
}

}  // namespace ap::rlwe

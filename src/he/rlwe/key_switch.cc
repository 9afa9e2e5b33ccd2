#include "he/rlwe/key_switch.h"

#include <algorithm>

#include "base/error.h"
#include "he/rlwe/polynomial.h"
#include "he/rlwe/wire.h"

namespace ap::rlwe {
namespace {

constexpr std::size_t kSeedBytes = std::tuple_size_v<Seed>;

}  // namespace

KeySwitchKey::KeySwitchKey(ContextPtr context_in, std::span<const std::uint64_t> from,
                           std::span<const std::uint64_t> to, Prng& prng)
    : context_(std::move(context_in)) {
  const Context& context = *context_;
  const std::size_t n = context.n(), primes = context.data() + context.special();
  AP_ASSERT(from.size() == context.key_words() && to.size() == from.size());
  prng.fill(std::span<std::uint8_t>(seed_));
  a_.resize(context.digits() * context.key_words());
  b_.resize(a_.size());
  expand();
  for (std::size_t d = 0; d < context.digits(); ++d) {
    const Level::Digit& digit = context.level(context.data()).digits[d];
    const SecretVector<std::int8_t> e = draw_errors(n, prng);
    for (std::size_t i = 0; i < primes; ++i) {
      const std::span<std::uint64_t> part(b_.data() + at(d, i), n);
      small_to_ntt(context, e, i, part);
      subtract_product(context, i, std::span(a(d, i), n), context.part(to, i), part);
      if (i < digit.first || i >= digit.first + digit.count) continue;
      const ring::Modulus& q = context.modulus(i);
      std::uint64_t p = 1;
      for (const std::uint64_t prime : context.parameters().special_primes) p = q.mul(p, q.reduce(prime));
      ring::elementwise(q).multiply_add(from.data() + i * n, ring::FixedFactor(q, p), part.data(), q,
                                        part.data(), n);
    }
  }
}

void KeySwitchKey::expand() {
  const std::size_t primes = context_->data() + context_->special();
  for (std::size_t d = 0; d < context_->digits(); ++d) {
    expand_uniform(*context_, seed_, d * primes, primes,
                   std::span(a_).subspan(d * context_->key_words(), context_->key_words()));
  }
}

KeySwitchKey::KeySwitchKey(ContextPtr context_in, ByteView bytes) : context_(std::move(context_in)) {
  const Context& context = *context_;
  if (bytes.size() != serialised_bytes(context)) {
    fail_peer("a key-switching key for n = {}, {} digits and {} primes has {} bytes, but {} came",
              context.n(), context.digits(), context.data() + context.special(), serialised_bytes(context),
              bytes.size());
  }
  std::copy_n(bytes.begin(), kSeedBytes, seed_.begin());
  bytes = bytes.subspan(kSeedBytes);
  a_.resize(context.digits() * context.key_words());
  b_.resize(a_.size());
  for (std::size_t d = 0; d < context.digits(); ++d) {
    unpack_polynomial(context, context.data() + context.special(), "key-switching key",
                      std::span(b_).subspan(at(d, 0), context.key_words()), bytes);
  }
  expand();
}

Bytes KeySwitchKey::serialise() const {
  Bytes bytes(serialised_bytes(*context_));
  std::copy(seed_.begin(), seed_.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(kSeedBytes);
  for (std::size_t d = 0; d < context_->digits(); ++d) {
    pack_polynomial(*context_, context_->data() + context_->special(),
                    std::span(b_).subspan(at(d, 0), context_->key_words()), out);
  }
  return bytes;
}

std::size_t KeySwitchKey::serialised_bytes(const Context& context) {
  return kSeedBytes + context.digits() * packed_polynomial_bytes(context, context.data() + context.special());
}

namespace {

// The digits of one polynomial, ready to be extended to one prime after the other.
class Digits {
 public:
  Digits(const Context& context, std::span<const std::uint64_t> polynomial, std::size_t level)
      : context_(context),
        polynomial_(polynomial),
        level_(level),
        digits_(context.level(level).digits),
        coefficients_(polynomial.begin(), polynomial.end()),
        prepared_(digits_.size()) {
    AP_ASSERT(polynomial.size() == level * context.n());
    for (std::size_t i = 0; i < level; ++i) {
      context.tables(i).inverse(context.part(std::span(coefficients_), i));
    }
    for (std::size_t d = 0; d < digits_.size(); ++d) {
      digits_[d].extend.prepare(parts(context, coefficients_, digits_[d].first, digits_[d].count),
                                context.n(), prepared_[d]);
    }
  }

  std::size_t count() const { return digits_.size(); }
  /// Digit d modulo prime i of the level and the special primes, in NTT form: where it lies in the polynomial
  /// itself, or computed to `out`.
  const std::uint64_t* extended(std::size_t d, std::size_t i, std::span<std::uint64_t> out) const {
    const Level::Digit& digit = digits_[d];
    if (i >= digit.first && i < digit.first + digit.count) return context_.part(polynomial_, i).data();
    digit.extend.output(prepared_[d], i < digit.first ? i : i - digit.count, out);
    (i < level_ ? context_.tables(i) : context_.special_tables(i - level_)).forward(out);
    return out.data();
  }

 private:
  const Context& context_;
  std::span<const std::uint64_t> polynomial_;
  std::size_t level_;
  const std::vector<Level::Digit>& digits_;
  AlignedVector<std::uint64_t> coefficients_;
  std::vector<ring::BaseConverter::Prepared> prepared_;
};

// values(d, i): digit d modulo prime i, n values that stay until the next prime.
template <typename Values>
void key_switch(std::size_t level, const KeySwitchKey& key, std::span<std::uint64_t> c0,
                std::span<std::uint64_t> c1, const Values& values) {
  const Context& context = *key.context();
  const std::size_t n = context.n(), special = context.special(), digits = context.level(level).digits.size();
  AP_ASSERT(c0.size() == level * n && c1.size() == c0.size());
  std::vector<const std::uint64_t*> x(digits), b(digits), a(digits);
  const auto multiply_add = [&](std::size_t prime, const ring::NttTables& tables, std::size_t key_prime,
                                std::span<std::uint64_t> sum0, std::span<std::uint64_t> sum1) {
    for (std::size_t d = 0; d < digits; ++d) {
      x[d] = values(d, prime);
      b[d] = key.b(d, key_prime);
      a[d] = key.a(d, key_prime);
    }
    tables.multiply_add(x, b, sum0);
    tables.multiply_add(x, a, sum1);
  };
  if (special == 0) {
    for (std::size_t i = 0; i < level; ++i) {
      multiply_add(i, context.tables(i), i, context.part(c0, i), context.part(c1, i));
    }
    return;
  }
  const ring::ScaleDown& scale = *context.level(level).drop_special;
  AlignedVector<std::uint64_t> tail0(special * n), tail1(special * n), correction(n);
  for (std::size_t k = 0; k < special; ++k) {
    const std::span<std::uint64_t> part0 = context.part(std::span(tail0), k);
    const std::span<std::uint64_t> part1 = context.part(std::span(tail1), k);
    multiply_add(level + k, context.special_tables(k), context.data() + k, part0, part1);
    context.special_tables(k).inverse(part0);
    context.special_tables(k).inverse(part1);
  }
  ring::BaseConverter::Prepared prepared0, prepared1;
  scale.converter.prepare(parts(context, tail0, 0, special), n, prepared0);
  scale.converter.prepare(parts(context, tail1, 0, special), n, prepared1);
  AlignedVector<std::uint64_t> sum0(n), sum1(n);
  for (std::size_t i = 0; i < level; ++i) {
    std::fill(sum0.begin(), sum0.end(), 0);
    std::fill(sum1.begin(), sum1.end(), 0);
    multiply_add(i, context.tables(i), i, sum0, sum1);
    for (const auto& [prepared, sum, to] :
         {std::tuple(&prepared0, &sum0, c0), std::tuple(&prepared1, &sum1, c1)}) {
      const ring::Modulus& q = context.modulus(i);
      const std::span<std::uint64_t> part = context.part(to, i);
      scale.converter.output(*prepared, i, correction);
      context.tables(i).forward(correction);
      const ring::ElementwiseKernels& kernels = ring::elementwise(q);
      kernels.multiply_add(sum->data(), scale.kept_factor[i], correction.data(), q, sum->data(), n);
      kernels.add(part.data(), sum->data(), q.value(), part.data(), n);
    }
  }
}

}  // namespace

Decomposition decompose(const Context& context, std::span<const std::uint64_t> polynomial,
                        std::size_t level) {
  const std::size_t n = context.n(), primes = level + context.special();
  const Digits digits(context, polynomial, level);
  Decomposition result{level, AlignedVector<std::uint64_t>(digits.count() * primes * n)};
  for (std::size_t d = 0; d < digits.count(); ++d) {
    for (std::size_t i = 0; i < primes; ++i) {
      const std::span<std::uint64_t> part = context.part(std::span(result.values), d * primes + i);
      const std::uint64_t* values = digits.extended(d, i, part);
      if (values != part.data()) std::copy_n(values, n, part.begin());
    }
  }
  return result;
}

Decomposition decompose(const Ciphertext& x) {
  AP_ASSERT(x.form() == Form::ntt);
  return decompose(*x.context(), x[x.degree()], x.level());
}

void key_switch_add(const Decomposition& polynomial, const KeySwitchKey& key, std::span<std::uint64_t> c0,
                    std::span<std::uint64_t> c1) {
  const Context& context = *key.context();
  const std::size_t n = context.n(), primes = polynomial.level + context.special();
  AP_ASSERT(polynomial.values.size() == context.level(polynomial.level).digits.size() * primes * n);
  key_switch(polynomial.level, key, c0, c1,
             [&](std::size_t d, std::size_t i) { return polynomial.values.data() + (d * primes + i) * n; });
}

void key_switch_add(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<std::uint64_t> c0, std::span<std::uint64_t> c1) {
  const Context& context = *key.context();
  const Digits digits(context, polynomial, level);
  AlignedVector<std::uint64_t> values(digits.count() * context.n());
  key_switch(level, key, c0, c1, [&](std::size_t d, std::size_t i) {
    return digits.extended(d, i, context.part(std::span(values), d));
  });
}

namespace {

KeySwitchKey square_to_secret(const SecretKey& key, Prng& prng) {
  const Context& context = *key.context();
  SecretVector<std::uint64_t> square(context.key_words());
  for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
    add_product(context, i, key.s(i), key.s(i), context.part(std::span(square), i));
  }
  return {key.context(), square, key.s(), prng};
}

}  // namespace

RelinearisationKey::RelinearisationKey(const SecretKey& key, Prng& prng)
    : key_(square_to_secret(key, prng)) {}

Ciphertext relinearise(const Ciphertext& x, const RelinearisationKey& key) {
  AP_ASSERT(x.context() == key.key().context() && x.degree() == 2 && x.form() == Form::ntt);
  Ciphertext y(x.context(), x.level());
  std::copy(x[0].begin(), x[0].end(), y[0].begin());
  std::copy(x[1].begin(), x[1].end(), y[1].begin());
  key_switch_add(x[2], x.level(), key.key(), y[0], y[1]);
  return y;
}

}  // namespace ap::rlwe

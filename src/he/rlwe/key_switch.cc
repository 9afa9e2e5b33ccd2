#include "he/rlwe/key_switch.h"

#include <algorithm>

#include "base/error.h"
#include "he/rlwe/digits.h"
#include "he/rlwe/key_digit.h"
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
  AP_ASSERT(from.size() == context.key_words() && to.size() == from.size());
  prng.fill(std::span<std::uint8_t>(seed_));
  a_.resize(context.digits() * context.key_words());
  b_.resize(a_.size());
  expand();
  for (std::size_t d = 0; d < context.digits(); ++d) {
    const Level::Digit& digit = context.level(context.data()).digits[d];
    const std::size_t begin = d * context.key_words();
    make_key_digit(context, std::span(a_).subspan(begin, context.key_words()), from, to, digit.first,
                   digit.count, prng, std::span(b_).subspan(begin, context.key_words()));
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

using Words = std::span<std::uint64_t>;
using ConstWords = std::span<const std::uint64_t>;

// round((P (c0, c1) + sum_d digit_d key_d) / (P D)) with D the product of the data primes from `kept` on, of which there
// is one or none. begin(i, sum0, sum1) says what the sums modulo data prime i start with, for which it may use the sums'
// memory; finish(i, sum0, sum1) takes the results modulo prime i. Both are called from several threads.
template <typename Source, typename Begin, typename Finish>
void key_switch(std::size_t level, std::size_t kept, const KeySwitchKey& key, const Source& source,
                const Begin& begin, const Finish& finish) {
  const Context& context = *key.context();
  const std::size_t n = context.n(), special = context.special();
  const auto sum_digits = [&](const auto& run, std::size_t i, Words sum0, Words sum1) {
    const bool is_special = i >= level;
    const SumStart start = is_special ? SumStart{nullptr, nullptr, 1} : begin(i, sum0, sum1);
    std::vector<const std::uint64_t*> digits(source.count());
    for (std::size_t d = 0; d < digits.size(); ++d) digits[d] = run.at(d, i);
    digit_products(key, is_special ? context.data() + i - level : i, digits, start, sum0, sum1);
  };
  // Special primes, then the data primes that go.
  const std::size_t dropped = special + level - kept;
  ring::Scratch tail(2 * dropped * n);
  for_prime_runs(context, kept, level + special, [&](std::size_t first, std::size_t count) {
    auto run = source.run();
    run.load(first, count);
    for (std::size_t i = first; i < first + count; ++i) {
      const std::size_t at = i >= level ? i - level : special + i - kept;
      const Words part0 = tail.words(at * n, n), part1 = tail.words((dropped + at) * n, n);
      sum_digits(run, i, part0, part1);
      const ring::NttTables& tables = i >= level ? context.special_tables(i - level) : context.tables(i);
      tables.inverse(part0);
      tables.inverse(part1);
    }
  });
  const ring::ScaleDown* scale = nullptr;
  if (dropped > special) {
    scale = &*context.level(level).drop_special_and_last;
  } else if (dropped > 0) {
    scale = &*context.level(level).drop_special;
  }
  ring::BaseConverter::Prepared prepared[2];
  if (scale != nullptr) {
    for_parts(context, 2, [&](std::size_t k) {
      std::vector<const std::uint64_t*> terms;
      for (std::size_t i = 0; i < dropped; ++i) terms.push_back(tail.data() + (k * dropped + i) * n);
      scale->converter.prepare(terms, n, prepared[k]);
    });
  }
  for_prime_runs(context, 0, kept, [&](std::size_t first, std::size_t count) {
    auto run = source.run();
    run.load(first, count);
    ring::Scratch sums(2 * n), corrections(2 * kPrimesTogether * n);
    const Words sum[2] = {sums.words(0, n), sums.words(n, n)};
    for (std::size_t k = 0; k < 2 && scale != nullptr; ++k) {
      std::uint64_t* to[kPrimesTogether];
      for (std::size_t i = 0; i < count; ++i) to[i] = corrections.data() + (k * kPrimesTogether + i) * n;
      scale->converter.outputs(prepared[k], first, std::span(to, count));
    }
    for (std::size_t i = first; i < first + count; ++i) {
      sum_digits(run, i, sum[0], sum[1]);
      const ring::Modulus& q = context.modulus(i);
      for (std::size_t k = 0; k < 2 && scale != nullptr; ++k) {
        const Words correction = corrections.words((k * kPrimesTogether + i - first) * n, n);
        context.tables(i).forward(correction);
        ring::elementwise(q).multiply_add(sum[k].data(), scale->kept_factor[i], correction.data(), q,
                                          sum[k].data(), n);
      }
      finish(i, sum[0], sum[1]);
    }
  });
}

template <typename Source>
void switch_add(std::size_t level, const KeySwitchKey& key, const Source& source, Words c0, Words c1) {
  const Context& context = *key.context();
  const std::size_t n = context.n();
  AP_ASSERT(c0.size() == level * n && c1.size() == c0.size());
  key_switch(
      level, level, key, source,
      [&](std::size_t i, Words, Words) {
        return SumStart{c0.data() + i * n, c1.data() + i * n, context.special_product(i).value};
      },
      [&](std::size_t i, ConstWords y0, ConstWords y1) {
        std::copy_n(y0.begin(), n, c0.begin() + static_cast<std::ptrdiff_t>(i * n));
        std::copy_n(y1.begin(), n, c1.begin() + static_cast<std::ptrdiff_t>(i * n));
      });
}

template <typename Source>
void switch_map(std::size_t level, const KeySwitchKey& key, const Source& source, ConstWords x0,
                const ring::Automorphism& map, Words y0, Words y1) {
  const Context& context = *key.context();
  const std::size_t n = context.n();
  AP_ASSERT(x0.size() == level * n && y0.size() == x0.size() && y1.size() == x0.size());
  key_switch(
      level, level, key, source,
      [&](std::size_t i, Words, Words) {
        return SumStart{x0.data() + i * n, nullptr, context.special_product(i).value};
      },
      [&](std::size_t i, ConstWords sum0, ConstWords sum1) {
        ring::elementwise().permute(sum0.data(), map, y0.data() + i * n, n);
        ring::elementwise().permute(sum1.data(), map, y1.data() + i * n, n);
      });
}

}  // namespace

Decomposition decompose(const Context& context, std::span<const std::uint64_t> polynomial,
                        std::size_t level) {
  const std::size_t n = context.n(), primes = level + context.special();
  const Digits digits(context, polynomial, level);
  Decomposition result{level, {}};
  for (std::size_t d = 0; d < digits.count(); ++d) result.digits.emplace_back(primes * n);
  for_prime_runs(context, 0, primes, [&](std::size_t first, std::size_t count) {
    for (std::size_t d = 0; d < digits.count(); ++d) {
      std::uint64_t* to[kPrimesTogether];
      for (std::size_t k = 0; k < count; ++k) to[k] = result.digits[d].data() + (first + k) * n;
      digits.extend(d, first, count, to);
      for (std::size_t k = 0; k < count; ++k) {
        if (digits.own(d, first + k)) std::copy_n(digits.original(first + k), n, to[k]);
      }
    }
  });
  return result;
}

Decomposition decompose(const Ciphertext& x) {
  AP_ASSERT(x.form() == Form::ntt);
  return decompose(*x.context(), x[x.degree()], x.level());
}

void key_switch_add(const Decomposition& polynomial, const KeySwitchKey& key, std::span<std::uint64_t> c0,
                    std::span<std::uint64_t> c1) {
  const StoredDigits source(*key.context(), polynomial);
  switch_add(polynomial.level, key, source, c0, c1);
}

void key_switch_add(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<std::uint64_t> c0, std::span<std::uint64_t> c1) {
  const Digits source(*key.context(), polynomial, level);
  switch_add(level, key, source, c0, c1);
}

void key_switch_map(const Decomposition& polynomial, const KeySwitchKey& key,
                    std::span<const std::uint64_t> x0, const ring::Automorphism& map,
                    std::span<std::uint64_t> y0, std::span<std::uint64_t> y1) {
  const StoredDigits source(*key.context(), polynomial);
  switch_map(polynomial.level, key, source, x0, map, y0, y1);
}

void key_switch_map(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<const std::uint64_t> x0, const ring::Automorphism& map,
                    std::span<std::uint64_t> y0, std::span<std::uint64_t> y1) {
  const Digits source(*key.context(), polynomial, level);
  switch_map(level, key, source, x0, map, y0, y1);
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
  Ciphertext y = Ciphertext::unwritten(x.context(), x.level());
  std::copy(x[0].begin(), x[0].end(), y[0].begin());
  std::copy(x[1].begin(), x[1].end(), y[1].begin());
  key_switch_add(x[2], x.level(), key.key(), y[0], y[1]);
  return y;
}

namespace {

// Relinearises and rescales; begin as in key_switch.
template <typename Begin>
Ciphertext switch_rescale(const ContextPtr& pointer, std::size_t level, std::span<const std::uint64_t> square,
                          const RelinearisationKey& key, const Begin& begin) {
  const Context& context = *pointer;
  if (level < 2) fail_input("a product at level 1 cannot be rescaled: no prime would be left");
  AP_ASSERT(key.key().context() == pointer);
  Ciphertext y = Ciphertext::unwritten(pointer, level - 1);
  const Digits source(context, square, level);
  key_switch(level, level - 1, key.key(), source, begin,
             [&](std::size_t i, ConstWords sum0, ConstWords sum1) {
               std::copy(sum0.begin(), sum0.end(), y.part(0, i).begin());
               std::copy(sum1.begin(), sum1.end(), y.part(1, i).begin());
             });
  return y;
}

}  // namespace

Ciphertext relinearise_rescale(const Ciphertext& x, const RelinearisationKey& key) {
  AP_ASSERT(x.degree() == 2 && x.form() == Form::ntt);
  return switch_rescale(x.context(), x.level(), x[2], key, [&](std::size_t i, Words, Words) {
    return SumStart{x.part(0, i).data(), x.part(1, i).data(), x.context()->special_product(i).value};
  });
}

Ciphertext multiply_rescale(const Ciphertext& x, const Ciphertext& y, const RelinearisationKey& key) {
  check_factors(x, y);
  const Context& context = *x.context();
  LargeVector<std::uint64_t> square(x.level() * context.n());
  for_parts(context, x.level(), [&](std::size_t i) {
    add_product(context, i, x.part(1, i), y.part(1, i), context.part(Words(square), i));
  });
  return switch_rescale(x.context(), x.level(), square, key, [&](std::size_t i, Words sum0, Words sum1) {
    product_start(context, i, x, y, sum0, sum1);
    return SumStart{sum0.data(), sum1.data(), context.special_product(i).value};
  });
}

}  // namespace ap::rlwe

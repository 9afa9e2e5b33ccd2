#include "he/rlwe/extended.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/extended_writer.h"

namespace ap::rlwe {

Extended::Extended(ContextPtr context, std::size_t level, Unwritten)
    : context_(std::move(context)), level_(level) {
  AP_ASSERT(level >= 1 && level <= context_->data() && context_->special() > 0);
  values_.grow(2 * primes() * context_->n());
}

Extended::Extended(ContextPtr context, std::size_t level) : Extended(std::move(context), level, Unwritten()) {
  std::ranges::fill(values_.words(0, 2 * primes() * context_->n()), 0);
}

bool operator==(const Extended& x, const Extended& y) {
  const std::size_t words = 2 * x.primes() * x.context_->n();
  return x.context_ == y.context_ && x.level_ == y.level_ &&
         std::ranges::equal(x.values_.words(0, words), y.values_.words(0, words));
}

namespace {

using Words = std::span<std::uint64_t>;
using ConstWords = std::span<const std::uint64_t>;

Words part(Extended& x, std::size_t k, std::size_t i) { return ExtendedWriter::part(x, k, i); }

void check(const Ciphertext& x) { AP_ASSERT(x.form() == Form::ntt && x.degree() == 1); }

// to = P x modulo prime i of the level, or 0 modulo a special prime.
void times_special(const Ciphertext& x, std::size_t k, std::size_t i, Words to) {
  if (i >= x.level()) {
    std::fill(to.begin(), to.end(), 0);
    return;
  }
  const ring::Modulus& q = x.context()->modulus(i);
  ring::elementwise(q).multiply(x.part(k, i).data(), x.context()->special_product(i), q, to.data(),
                                to.size());
}

// (sum0, sum1) += the digits times the key modulo prime i of the level and the special primes.
void add_switched(const Decomposition& digits, const KeySwitchKey& key, std::size_t i, Words sum0,
                  Words sum1) {
  const Context& context = *key.context();
  const std::size_t prime = i < digits.level ? i : context.data() + i - digits.level;
  std::vector<const std::uint64_t*> x, b, a;
  for (std::size_t d = 0; d < digits.digits.size(); ++d) {
    x.push_back(digits.digits[d].data() + i * context.n());
    b.push_back(key.b(d, prime));
    a.push_back(key.a(d, prime));
  }
  context.tables(prime).multiply_add(x, b, sum0);
  context.tables(prime).multiply_add(x, a, sum1);
}

// One polynomial of x divided by P and the data primes from `kept` on, of which there is one or none.
void divide(const Extended& x, std::size_t k, std::size_t kept, Words to) {
  const Context& context = *x.context();
  const std::size_t n = context.n(), special = context.special(), dropped = x.primes() - kept;
  ring::Scratch tail(dropped * n);
  std::vector<const std::uint64_t*> terms;
  for (std::size_t at = 0; at < dropped; ++at) {
    // Special primes, then the data prime that goes: the order of the tables of Level.
    const std::size_t i = at < special ? x.level() + at : kept + at - special;
    const Words words = tail.words(at * n, n);
    std::ranges::copy(x.part(k, i), words.begin());
    context.tables(x.context_prime(i)).inverse(words);
    terms.push_back(words.data());
  }
  const Level& level = context.level(x.level());
  const ring::ScaleDown& scale = kept < x.level() ? *level.drop_special_and_last : *level.drop_special;
  ring::BaseConverter::Prepared prepared;
  scale.converter.prepare(terms, n, prepared);
  constexpr std::size_t kTogether = 4;  // outputs that base conversion takes at once
  ring::Scratch corrections(kTogether * n);
  for (std::size_t first = 0; first < kept; first += kTogether) {
    const std::size_t count = std::min(kTogether, kept - first);
    std::uint64_t* outputs[kTogether];
    for (std::size_t i = 0; i < count; ++i) outputs[i] = corrections.data() + i * n;
    scale.converter.outputs(prepared, first, std::span(outputs, count));
    for (std::size_t i = first; i < first + count; ++i) {
      const Words words = corrections.words((i - first) * n, n);
      context.tables(i).forward(words);
      const ring::Modulus& q = context.modulus(i);
      ring::elementwise(q).multiply_add(x.part(k, i).data(), scale.kept_factor[i], words.data(), q,
                                        to.data() + i * n, n);
    }
  }
}

Ciphertext divided(const Extended& x, std::size_t kept) {
  Ciphertext y(x.context(), kept);
  parallel_for(2, [&](std::size_t k) { divide(x, k, kept, y[k]); });
  return y;
}

void check_keys(const Context& context, const GaloisKeys::Key& key) {
  AP_ASSERT(key.key.context().get() == &context);
}

}  // namespace

Extended extend(const Ciphertext& x) {
  check(x);
  Extended y = ExtendedWriter::unwritten(x.context(), x.level());
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < y.primes(); ++i) times_special(x, k, i, part(y, k, i));
  }
  return y;
}

Extended extended_automorphism(const Ciphertext& x, const Decomposition& digits, std::uint32_t element,
                               const GaloisKeys& keys) {
  check(x);
  AP_ASSERT(digits.level == x.level());
  if (element == 1) return extend(x);
  const GaloisKeys::Key& key = keys.at(element);
  check_keys(*x.context(), key);
  const std::size_t n = x.context()->n();
  Extended y = ExtendedWriter::unwritten(x.context(), x.level());
  ring::Scratch sums(2 * n);
  for (std::size_t i = 0; i < y.primes(); ++i) {
    const Words sum[2] = {sums.words(0, n), sums.words(n, n)};
    times_special(x, 0, i, sum[0]);
    std::fill(sum[1].begin(), sum[1].end(), 0);
    add_switched(digits, key.key, i, sum[0], sum[1]);
    for (std::size_t k = 0; k < 2; ++k) {
      ring::elementwise().permute(sum[k].data(), key.map, part(y, k, i).data(), n);
    }
  }
  return y;
}

void add(const Extended& x, Extended& sum) {
  AP_ASSERT(x.context() == sum.context() && x.level() == sum.level());
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < x.primes(); ++i) {
      const ring::Modulus& q = x.context()->modulus(x.context_prime(i));
      const Words to = part(sum, k, i);
      ring::elementwise(q).add(to.data(), x.part(k, i).data(), q.value(), to.data(), to.size());
    }
  }
}

void add_automorphism(const Extended& x, std::uint32_t element, const GaloisKeys& keys, Extended& sum) {
  AP_ASSERT(x.context() == sum.context() && x.level() == sum.level());
  if (element == 1) {
    add(x, sum);
    return;
  }
  const GaloisKeys::Key& key = keys.at(element);
  const Context& context = *x.context();
  check_keys(context, key);
  const std::size_t n = context.n();
  ring::Scratch c1(x.level() * n);
  divide(x, 1, x.level(), c1.words(0, x.level() * n));
  const Decomposition digits = decompose(context, c1.words(0, x.level() * n), x.level());
  parallel_for(x.primes(), [&](std::size_t i) {
    ring::Scratch words(3 * n);
    const Words switched[2] = {words.words(0, n), words.words(n, n)}, image = words.words(2 * n, n);
    std::ranges::copy(x.part(0, i), switched[0].begin());
    std::fill(switched[1].begin(), switched[1].end(), 0);
    add_switched(digits, key.key, i, switched[0], switched[1]);
    const ring::Modulus& q = context.modulus(x.context_prime(i));
    for (std::size_t k = 0; k < 2; ++k) {
      ring::elementwise().permute(switched[k].data(), key.map, image.data(), n);
      const Words to = part(sum, k, i);
      ring::elementwise(q).add(to.data(), image.data(), q.value(), to.data(), n);
    }
  });
}

namespace {

// One prime's share of hoisted_sums.
class PrimeSums {
 public:
  PrimeSums(const Ciphertext& x, const Decomposition& digits, std::span<const std::uint32_t> elements,
            const GaloisKeys& keys, std::size_t i)
      : context_(*x.context()),
        n_(context_.n()),
        i_(i),
        prime_(i < x.level() ? i : context_.data() + i - x.level()),
        rotated_(2 * elements.size() * n_),
        room_(elements.size() * n_) {
    ring::Scratch sums(2 * n_);
    const Words sum[2] = {sums.words(0, n_), sums.words(n_, n_)};
    for (std::size_t t = 0; t < elements.size(); ++t) {
      if (elements[t] == 1) {
        for (std::size_t k = 0; k < 2; ++k) times_special(x, k, i, rotated(k, t));
        continue;
      }
      const GaloisKeys::Key& key = keys.at(elements[t]);
      times_special(x, 0, i, sum[0]);
      std::fill(sum[1].begin(), sum[1].end(), 0);
      add_switched(digits, key.key, i, sum[0], sum[1]);
      for (std::size_t k = 0; k < 2; ++k) {
        ring::elementwise().permute(sum[k].data(), key.map, rotated(k, t).data(), n_);
      }
    }
  }

  void sum_to(std::size_t number, std::size_t terms, const Weights& weights, Extended& sum) {
    std::vector<const std::uint64_t*> x[2], w;
    for (std::size_t t = 0; t < terms; ++t) {
      if (!weights.has(number, t)) continue;
      const ConstWords values = weights.values(number, t, prime_, room_.words(t * n_, n_));
      AP_ASSERT(values.size() == n_);
      w.push_back(values.data());
      for (std::size_t k = 0; k < 2; ++k) x[k].push_back(rotated(k, t).data());
    }
    for (std::size_t k = 0; k < 2; ++k) {
      const Words to = part(sum, k, i_);
      std::ranges::fill(to, 0);
      context_.tables(prime_).multiply_add(x[k], w, to);
    }
  }

 private:
  Words rotated(std::size_t k, std::size_t t) { return rotated_.words((2 * t + k) * n_, n_); }

  const Context& context_;
  std::size_t n_, i_, prime_;
  ring::Scratch rotated_, room_;
};

}  // namespace

std::vector<Extended> hoisted_sums(const Ciphertext& x, std::span<const std::uint32_t> elements,
                                   const GaloisKeys& keys, std::size_t sums, const Weights& weights) {
  check(x);
  for (const std::uint32_t element : elements) {
    if (element != 1) check_keys(*x.context(), keys.at(element));
  }
  const bool switches = std::ranges::any_of(elements, [](std::uint32_t element) { return element != 1; });
  const Decomposition digits = switches ? decompose(x) : Decomposition{x.level(), {}};
  std::vector<Extended> result;
  for (std::size_t s = 0; s < sums; ++s) {
    result.push_back(ExtendedWriter::unwritten(x.context(), x.level()));
  }
  parallel_for(x.level() + x.context()->special(), [&](std::size_t i) {
    PrimeSums prime(x, digits, elements, keys, i);
    for (std::size_t s = 0; s < sums; ++s) prime.sum_to(s, elements.size(), weights, result[s]);
  });
  return result;
}

Ciphertext divide(const Extended& x) { return divided(x, x.level()); }

Ciphertext divide_rescale(const Extended& x) {
  if (x.level() < 2) fail_input("a sum at level 1 cannot be rescaled: no prime would be left");
  return divided(x, x.level() - 1);
}

}  // namespace ap::rlwe

#include "he/rlwe/extended.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/digits.h"
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
  for (std::size_t at = 0; at < dropped; ++at) terms.push_back(tail.data() + at * n);
  for_parts(context, dropped, [&](std::size_t at) {
    // Special primes, then the data prime that goes: the order of the tables of Level.
    const std::size_t i = at < special ? x.level() + at : kept + at - special;
    const Words words = tail.words(at * n, n);
    std::ranges::copy(x.part(k, i), words.begin());
    context.tables(x.context_prime(i)).inverse(words);
  });
  const Level& level = context.level(x.level());
  const ring::ScaleDown& scale = kept < x.level() ? *level.drop_special_and_last : *level.drop_special;
  ring::BaseConverter::Prepared prepared;
  scale.converter.prepare(terms, n, prepared);
  for_prime_runs(context, 0, kept, [&](std::size_t first, std::size_t count) {
    ring::Scratch corrections(kPrimesTogether * n);
    std::uint64_t* outputs[kPrimesTogether];
    for (std::size_t i = 0; i < count; ++i) outputs[i] = corrections.data() + i * n;
    scale.converter.outputs(prepared, first, std::span(outputs, count));
    for (std::size_t i = first; i < first + count; ++i) {
      const Words words = corrections.words((i - first) * n, n);
      context.tables(i).forward(words);
      const ring::Modulus& q = context.modulus(i);
      ring::elementwise(q).multiply_add(x.part(k, i).data(), scale.kept_factor[i], words.data(), q,
                                        to.data() + i * n, n);
    }
  });
}

Ciphertext divided(const Extended& x, std::size_t kept) {
  Ciphertext y = Ciphertext::unwritten(x.context(), kept);
  parallel_for(2, [&](std::size_t k) { divide(x, k, kept, y[k]); });
  return y;
}

// Where the digits modulo prime i are.
std::vector<const std::uint64_t*> at(const Digits::Run& run, const Digits& digits, std::size_t i) {
  std::vector<const std::uint64_t*> result;
  for (std::size_t d = 0; d < digits.count(); ++d) result.push_back(run.at(d, i));
  return result;
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
  const Digits digits(context, c1.words(0, x.level() * n), x.level());
  for_prime_runs(context, 0, x.primes(), [&](std::size_t first, std::size_t count) {
    Digits::Run run = digits.run();
    run.load(first, count);
    ring::Scratch words(2 * n);
    const Words switched[2] = {words.words(0, n), words.words(n, n)};
    for (std::size_t i = first; i < first + count; ++i) {
      digit_products(key.key, x.context_prime(i), at(run, digits, i), {x.part(0, i).data(), nullptr, 1},
                     switched[0], switched[1]);
      const ring::Modulus& q = context.modulus(x.context_prime(i));
      for (std::size_t k = 0; k < 2; ++k) {
        ring::products(q).permute_add(switched[k].data(), key.map, q.value(), part(sum, k, i).data(), n);
      }
    }
  });
}

namespace {

// The rotations of x modulo one prime, side by side: c_0 and c_1 of the first, of the second and so on.
class Rotations {
 public:
  Rotations(const Ciphertext& x, std::span<const std::uint32_t> elements, const GaloisKeys& keys)
      : x_(x), context_(*x.context()), identity_(context_.n(), 1) {
    for (const std::uint32_t element : elements) {
      keys_.push_back(element == 1 ? nullptr : &keys.at(element));
      if (keys_.back() != nullptr) check_keys(context_, *keys_.back());
    }
  }
  bool any() const {
    return std::ranges::any_of(keys_, [](const GaloisKeys::Key* key) { return key != nullptr; });
  }
  // Polynomials side by side.
  std::size_t count() const { return 2 * keys_.size(); }

  // Modulo prime i of the level and the special primes, given the digits of x's c_1 there. `sums`: 2 N words of room.
  void make(std::size_t i, std::span<const std::uint64_t* const> digits, Words sums,
            std::uint64_t* aside) const {
    const std::size_t n = context_.n(), prime = i < x_.level() ? i : context_.data() + i - x_.level();
    const Words sum[2] = {sums.first(n), sums.last(n)};
    for (std::size_t t = 0; t < keys_.size(); ++t) {
      if (keys_[t] == nullptr) {
        for (std::size_t k = 0; k < 2; ++k) times_special(x_, k, i, sum[k]);
      } else {
        SumStart start{nullptr, nullptr, 1};
        if (i < x_.level()) start = {x_.part(0, i).data(), nullptr, context_.special_product(i).value};
        digit_products(keys_[t]->key, prime, digits, start, sum[0], sum[1]);
      }
      const ring::Automorphism& map = keys_[t] == nullptr ? identity_ : keys_[t]->map;
      for (std::size_t k = 0; k < 2; ++k) {
        ring::products(context_.modulus(prime))
            .permute_aside(sum[k].data(), map, aside + (2 * t + k) * ring::kRun, count(), n);
      }
    }
  }

 private:
  const Ciphertext& x_;
  const Context& context_;
  ring::Automorphism identity_;
  std::vector<const GaloisKeys::Key*> keys_;
};

}  // namespace

std::vector<Extended> hoisted_sums(const Ciphertext& x, std::span<const std::uint32_t> elements,
                                   const GaloisKeys& keys, std::size_t sums, const Weights& weights) {
  check(x);
  const Context& context = *x.context();
  const std::size_t n = context.n();
  const Rotations rotations(x, elements, keys);
  std::optional<Digits> digits;
  if (rotations.any()) digits.emplace(context, x[1], x.level());
  std::vector<Extended> result;
  for (std::size_t s = 0; s < sums; ++s) {
    result.push_back(ExtendedWriter::unwritten(x.context(), x.level()));
  }
  const ring::WeightShape shape = weights.shape();
  const std::size_t weight_words = shape.words(n) + ring::kWeightPadding;
  for_prime_runs(context, 0, x.level() + context.special(), [&](std::size_t first, std::size_t count) {
    std::optional<Digits::Run> run;
    if (digits) {
      run.emplace(*digits);
      run->load(first, count);
    }
    ring::Scratch sum(2 * n), aside(rotations.count() * n), room(elements.size() * weight_words);
    std::vector<ring::WeightedTerm> terms;
    for (std::size_t i = first; i < first + count; ++i) {
      const std::size_t prime = i < x.level() ? i : context.data() + i - x.level();
      std::vector<const std::uint64_t*> digits_here;
      if (digits) digits_here = at(*run, *digits, i);
      rotations.make(i, digits_here, sum.words(0, 2 * n), aside.data());
      for (std::size_t s = 0; s < sums; ++s) {
        terms.clear();
        for (std::size_t t = 0; t < elements.size(); ++t) {
          if (!weights.has(s, t)) continue;
          terms.push_back({t, weights.values(s, t, prime, room.words(t * weight_words, weight_words))});
        }
        const ring::Modulus& q = context.modulus(prime);
        ring::products(q).weighted(aside.data(), rotations.count(), terms, shape, q,
                                   part(result[s], 0, i).data(), part(result[s], 1, i).data(), n);
      }
    }
  });
  return result;
}

Ciphertext divide(const Extended& x) { return divided(x, x.level()); }

Ciphertext divide_rescale(const Extended& x) {
  if (x.level() < 2) fail_input("a sum at level 1 cannot be rescaled: no prime would be left");
  return divided(x, x.level() - 1);
}

}  // namespace ap::rlwe

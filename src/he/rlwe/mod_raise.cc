#include "he/rlwe/mod_raise.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/extended_writer.h"
#include "he/rlwe/key_digit.h"
#include "he/rlwe/polynomial.h"
#include "he/rlwe/sparse_secret.h"
#include "he/rlwe/wire.h"

namespace ap::rlwe {
namespace {

constexpr std::size_t kSeedBytes = std::tuple_size_v<Seed>;

// to = the N centred integers with residues x modulo q, modulo another prime and in NTT form.
void raise(const ring::Modulus& q, std::span<const std::uint64_t> x, const ring::NttTables& tables,
           std::span<std::uint64_t> to) {
  const ring::Modulus& r = tables.modulus();
  const std::uint64_t half = q.value() / 2, minus = r.negate(r.reduce(q.value()));
  for (std::size_t j = 0; j < x.size(); ++j) {
    const std::uint64_t above = 0 - ((half - x[j]) >> 63);  // all ones if x > half
    to[j] = r.add(r.reduce(x[j]), minus & above);
  }
  tables.forward(to);
}

}  // namespace

SmallSwitchKey::SmallSwitchKey(ContextPtr context_in, std::span<const std::uint64_t> from,
                               std::span<const std::uint64_t> to, Prng& prng)
    : context_(std::move(context_in)) {
  const Context& context = *context_;
  const std::size_t primes = context.data() + context.special();
  AP_ASSERT(from.size() == context.key_words() && to.size() == from.size());
  prng.fill(std::span<std::uint8_t>(seed_));
  a_.resize(context.key_words());
  b_.resize(a_.size());
  expand_uniform(context, seed_, 0, primes, a_);
  make_key_digit(context, a_, from, to, 0, context.data(), prng, b_);
}

SmallSwitchKey::SmallSwitchKey(ContextPtr context_in, ByteView bytes) : context_(std::move(context_in)) {
  const Context& context = *context_;
  const std::size_t primes = context.data() + context.special();
  if (bytes.size() != serialised_bytes(context)) {
    fail_peer("a switching key of one digit for n = {} and {} primes has {} bytes, but {} came", context.n(),
              primes, serialised_bytes(context), bytes.size());
  }
  std::copy_n(bytes.begin(), kSeedBytes, seed_.begin());
  bytes = bytes.subspan(kSeedBytes);
  a_.resize(context.key_words());
  b_.resize(a_.size());
  unpack_polynomial(context, primes, "switching key of one digit", b_, bytes);
  expand_uniform(context, seed_, 0, primes, a_);
}

Bytes SmallSwitchKey::serialise() const {
  Bytes bytes(serialised_bytes(*context_));
  std::copy(seed_.begin(), seed_.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(kSeedBytes);
  pack_polynomial(*context_, context_->data() + context_->special(), b_, out);
  return bytes;
}

std::size_t SmallSwitchKey::serialised_bytes(const Context& context) {
  return kSeedBytes + packed_polynomial_bytes(context, context.data() + context.special());
}

namespace {

const ContextPtr& checked_low(const Context& context, const ContextPtr& low) {
  AP_ASSERT(low->n() == context.n() && low->data() == 1 && low->special() >= 1 && context.special() >= 1);
  AP_ASSERT(low->modulus(0).value() == context.modulus(0).value());
  return low;
}

}  // namespace

RaiseKeys::RaiseKeys(const SecretKey& key, ContextPtr low, std::size_t weight, Prng& prng)
    : RaiseKeys(key, checked_low(*key.context(), low),
                SecretKey(key.context(), sample_sparse_ternary(key.context()->n(), weight, prng)), prng) {}

RaiseKeys::RaiseKeys(const SecretKey& key, const ContextPtr& low, const SecretKey& sparse, Prng& prng)
    : to_sparse_(low, SecretKey(low, key).s(), SecretKey(low, sparse).s(), prng),
      to_dense_(key.context(), sparse.s(), key.s(), prng) {}

RaiseKeys::RaiseKeys(ContextPtr context, ContextPtr low, ByteView bytes)
    : to_sparse_(checked_low(*context, low),
                 bytes.first(std::min(bytes.size(), KeySwitchKey::serialised_bytes(*low)))),
      to_dense_(context, bytes.subspan(std::min(bytes.size(), KeySwitchKey::serialised_bytes(*low)))) {}

Bytes RaiseKeys::serialise() const {
  Bytes bytes = to_sparse_.serialise();
  const Bytes second = to_dense_.serialise();
  bytes.insert(bytes.end(), second.begin(), second.end());
  return bytes;
}

std::size_t RaiseKeys::serialised_bytes(const Context& context, const Context& low) {
  return KeySwitchKey::serialised_bytes(low) + SmallSwitchKey::serialised_bytes(context);
}

Ciphertext mod_raise(const Ciphertext& x, const RaiseKeys& keys) {
  const ContextPtr& pointer = keys.to_dense().context();
  const Context& context = *pointer;
  AP_ASSERT(x.context() == pointer && x.level() == 1 && x.degree() == 1 && x.form() == Form::ntt);
  const Ciphertext dense = moved(x, keys.to_sparse().context());
  Ciphertext sparse(keys.to_sparse().context(), 1);
  std::ranges::copy(dense[0], sparse[0].begin());
  key_switch_add(dense[1], 1, keys.to_sparse(), sparse[0], sparse[1]);
  sparse.to(Form::coefficient);

  const ring::Modulus& q = context.modulus(0);
  Extended raised(pointer, context.data());
  parallel_for(raised.primes(), [&](std::size_t i) {
    const std::size_t prime = raised.context_prime(i), n = context.n();
    ring::Scratch words(n);
    const std::span<std::uint64_t> values = words.words(0, n);
    const std::span<std::uint64_t> c0 = ExtendedWriter::part(raised, 0, i),
                                   c1 = ExtendedWriter::part(raised, 1, i);
    if (i < context.data()) {
      raise(q, sparse[0], context.tables(prime), values);
      ring::elementwise(context.modulus(i))
          .multiply(values.data(), context.special_product(i), context.modulus(i), c0.data(), n);
    }
    raise(q, sparse[1], context.tables(prime), values);
    add_product(context, prime, values, keys.to_dense().b(prime), c0);
    add_product(context, prime, values, keys.to_dense().a(prime), c1);
  });
  return divide(raised);
}

}  // namespace ap::rlwe

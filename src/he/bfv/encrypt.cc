// Encryption, prepared plaintexts and products with coefficient encoding (he/bfv/scheme.h).
#include <algorithm>

#include "base/error.h"
#include "he/bfv/context_tables.h"
#include "he/bfv/scheme.h"
#include "he/bfv/small.h"
#include "he/bfv/wire.h"

namespace ap::bfv {
namespace {

// Products that one call sums before it reduces.
constexpr std::size_t kTermsTogether = 16;

}  // namespace

std::size_t encrypted_bytes(const Context& context) {
  return std::tuple_size_v<Seed> + residue_bytes(context);
}

Bytes encrypt_seeded(const SecretKey& key, std::span<const std::uint64_t> message, int log2_p, Prng& prng,
                     ErrorSource errors) {
  const Context& context = *key.context;
  AP_ASSERT(message.size() == context.n());
  const ScaleUp scale_up(context.crt(), log2_p);
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  AlignedVector<std::uint64_t> a(context.words());
  expand_uniform(context, seed, a);
  const SecretVector<std::int8_t> e = draw_errors(context.n(), prng, errors);
  SecretVector<std::uint64_t> c0(context.words());
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span<std::uint64_t>(c0), i);
    const ring::Modulus& q = context.tables(i).modulus();
    for (std::size_t j = 0; j < part.size(); ++j) {
      part[j] = q.add(scale_up(message[j], i), small_residue(e[j], q.value()));
    }
    context.tables(i).forward(part);
    subtract_product(context, i, context.part(std::span<const std::uint64_t>(a), i),
                     context.part(std::span<const std::uint64_t>(key.s), i), part);
  }
  Bytes bytes(encrypted_bytes(context));
  std::copy(seed.begin(), seed.end(), bytes.begin());
  pack_residues(context, c0, std::span(bytes).subspan(seed.size()));
  return bytes;
}

Ciphertext::Ciphertext(ContextPtr context_in, ByteView bytes) : context(std::move(context_in)) {
  if (bytes.size() != encrypted_bytes(*context)) {
    fail_peer("a ciphertext for n = {} and {} primes has {} bytes, but {} came", context->n(),
              context->primes(), encrypted_bytes(*context), bytes.size());
  }
  Seed seed;
  std::copy_n(bytes.begin(), seed.size(), seed.begin());
  c0.resize(context->words());
  c1.resize(context->words());
  unpack_residues(*context, bytes.subspan(seed.size()), "ciphertext", c0);
  expand_uniform(*context, seed, c1);
}

PreparedPlaintext::PreparedPlaintext(const Context& context, std::span<const std::int32_t> coefficients) {
  AP_ASSERT(coefficients.size() <= context.n());
  value.resize(context.words());
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span<std::uint64_t>(value), i);
    const ring::Modulus& q = context.tables(i).modulus();
    for (std::size_t j = 0; j < coefficients.size(); ++j) part[j] = q.reduce_signed(coefficients[j]);
    context.tables(i).forward(part);
  }
}

Accumulator::Accumulator(ContextPtr context_in)
    : context(std::move(context_in)), c0(context->words()), c1(context->words()) {}

void Accumulator::multiply_add(const Ciphertext& x, const PreparedPlaintext& w) {
  const Ciphertext* const xs[] = {&x};
  const PreparedPlaintext* const ws[] = {&w};
  multiply_add(xs, ws);
}

void Accumulator::multiply_add(std::span<const Ciphertext* const> x,
                               std::span<const PreparedPlaintext* const> w) {
  AP_ASSERT(x.size() == w.size());
  const std::size_t n = context->n();
  std::vector<const std::uint64_t*> values(w.size()), first(x.size()), second(x.size());
  for (std::size_t i = 0; i < context->primes(); ++i) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      AP_ASSERT(x[k]->c0.size() == c0.size() && w[k]->value.size() == c0.size());
      values[k] = w[k]->value.data() + i * n;
      first[k] = x[k]->c0.data() + i * n;
      second[k] = x[k]->c1.data() + i * n;
    }
    const ring::NttTables& tables = context->tables(i);
    // A few terms for both parts, so that the second use finds the weights in the cache.
    for (std::size_t at = 0; at < x.size(); at += kTermsTogether) {
      const std::size_t count = std::min(kTermsTogether, x.size() - at);
      const auto terms = std::span(values).subspan(at, count);
      tables.multiply_add(std::span(first).subspan(at, count), terms,
                          context->part(std::span<std::uint64_t>(c0), i));
      tables.multiply_add(std::span(second).subspan(at, count), terms,
                          context->part(std::span<std::uint64_t>(c1), i));
    }
  }
}

}  // namespace ap::bfv

#include "he/rlwe/wire.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"

namespace ap::rlwe {
namespace {

constexpr std::size_t kSeedBytes = std::tuple_size_v<Seed>;

}  // namespace

std::size_t packed_polynomial_bytes(const Context& context, std::size_t primes) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < primes; ++i) bytes += packed_bytes(context.n(), context.modulus(i).bits());
  return bytes;
}

void pack_residues(const ring::Modulus& q, std::span<const std::uint64_t> values,
                   std::span<std::uint8_t>& out) {
  const std::size_t bytes = packed_bytes(values.size(), q.bits());
  pack_bits(values, q.bits(), out.first(bytes));
  out = out.subspan(bytes);
}

void pack_polynomial(const Context& context, std::size_t primes, std::span<const std::uint64_t> values,
                     std::span<std::uint8_t>& out) {
  for (std::size_t i = 0; i < primes; ++i) pack_residues(context.modulus(i), context.part(values, i), out);
}

void unpack_polynomial(const Context& context, std::size_t primes, std::string_view what,
                       std::span<std::uint64_t> values, ByteView& in) {
  for (std::size_t i = 0; i < primes; ++i) {
    const ring::Modulus& q = context.modulus(i);
    const std::span<std::uint64_t> part = context.part(values, i);
    const std::size_t bytes = packed_bytes(part.size(), q.bits());
    unpack_bits(in.first(bytes), q.bits(), part);
    in = in.subspan(bytes);
    std::uint64_t largest = 0;
    for (const std::uint64_t value : part) largest = std::max(largest, value);
    if (largest >= q.value()) {
      fail_peer("the {} holds the residue {} although its prime is {}: the bytes are damaged or forged", what,
                largest, q.value());
    }
  }
}

void expand_uniform(const Context& context, const Seed& seed, std::uint64_t stream, std::size_t count,
                    std::span<std::uint64_t> out) {
  for (std::size_t i = 0; i < count; ++i) {
    Prng prng(seed, stream + i);
    sample_uniform(prng, context.modulus(i).value(), context.part(out, i));
  }
}

std::size_t seeded_bytes(const Context& context) {
  return kSeedBytes + packed_polynomial_bytes(context, context.data());
}

Ciphertext load_seeded(const ContextPtr& context, ByteView bytes) {
  if (bytes.size() != seeded_bytes(*context)) {
    fail_peer("an upload for n = {} and {} primes has {} bytes, but {} came", context->n(), context->data(),
              seeded_bytes(*context), bytes.size());
  }
  Ciphertext x(context, context->data());
  Seed seed;
  std::copy_n(bytes.begin(), kSeedBytes, seed.begin());
  bytes = bytes.subspan(kSeedBytes);
  unpack_polynomial(*context, x.level(), "upload", x[0], bytes);
  expand_uniform(*context, seed, 0, x.level(), x[1]);
  return x;
}

std::size_t ciphertext_bytes(const Context& context, std::size_t level, std::size_t degree) {
  return (degree + 1) * packed_polynomial_bytes(context, level);
}

Bytes serialise(const Ciphertext& x) {
  AP_ASSERT(x.form() == Form::ntt);
  Bytes bytes(ciphertext_bytes(*x.context(), x.level(), x.degree()));
  std::span<std::uint8_t> out(bytes);
  for (std::size_t k = 0; k <= x.degree(); ++k) pack_polynomial(*x.context(), x.level(), x[k], out);
  return bytes;
}

Ciphertext load_ciphertext(const ContextPtr& context, std::size_t level, ByteView bytes, std::size_t degree) {
  AP_ASSERT(level >= 1 && level <= context->data());
  if (bytes.size() != ciphertext_bytes(*context, level, degree)) {
    fail_peer("a ciphertext for n = {} and {} primes has {} bytes, but {} came", context->n(), level,
              ciphertext_bytes(*context, level, degree), bytes.size());
  }
  Ciphertext x(context, level, degree);
  for (std::size_t k = 0; k <= degree; ++k) unpack_polynomial(*context, level, "ciphertext", x[k], bytes);
  return x;
}

}  // namespace ap::rlwe

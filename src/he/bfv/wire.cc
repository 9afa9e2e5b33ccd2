#include "he/bfv/wire.h"

#include "base/bits.h"
#include "base/error.h"

namespace ap::bfv {

std::size_t residue_bytes(const Context& context) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < context.primes(); ++i) {
    bytes += packed_bytes(context.n(), context.tables(i).modulus().bits());
  }
  return bytes;
}

void pack_residues(const Context& context, std::span<const std::uint64_t> polynomial,
                   std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const int bits = context.tables(i).modulus().bits();
    const std::size_t bytes = packed_bytes(context.n(), bits);
    pack_bits(context.part(polynomial, i), bits, out.first(bytes));
    out = out.subspan(bytes);
  }
}

void unpack_residues(const Context& context, std::span<const std::uint8_t> in, std::string_view what,
                     std::span<std::uint64_t> polynomial) {
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const ring::Modulus& prime = context.tables(i).modulus();
    const std::size_t bytes = packed_bytes(context.n(), prime.bits());
    const std::span<std::uint64_t> part = context.part(polynomial, i);
    unpack_bits(in.first(bytes), prime.bits(), part);
    in = in.subspan(bytes);
    std::uint64_t largest = 0;
    for (const std::uint64_t value : part) largest = std::max(largest, value);
    if (largest >= prime.value()) {
      fail_peer("the {} holds the residue {} although its prime is {}: the bytes are damaged or forged", what,
                largest, prime.value());
    }
  }
}

std::size_t wide_bytes(std::size_t count, int bits) {
  return bits <= 64 ? packed_bytes(count, bits) : packed_bytes(count, 64) + packed_bytes(count, bits - 64);
}

void pack_wide(std::span<const ring::Uint128> values, int bits, std::span<std::uint8_t> out) {
  AlignedVector<std::uint64_t> words(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) words[i] = static_cast<std::uint64_t>(values[i]);
  const std::size_t low = packed_bytes(values.size(), std::min(bits, 64));
  pack_bits(words, std::min(bits, 64), out.first(low));
  if (bits <= 64) return;
  for (std::size_t i = 0; i < values.size(); ++i) words[i] = static_cast<std::uint64_t>(values[i] >> 64);
  pack_bits(words, bits - 64, out.subspan(low));
}

void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<ring::Uint128> values) {
  AlignedVector<std::uint64_t> words(values.size());
  const std::size_t low = packed_bytes(values.size(), std::min(bits, 64));
  unpack_bits(in.first(low), std::min(bits, 64), words);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = words[i];
  if (bits <= 64) return;
  unpack_bits(in.subspan(low), bits - 64, words);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] |= static_cast<ring::Uint128>(words[i]) << 64;
}

void pack_wide(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out) {
  pack_bits(values, bits, out);
}

void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values) {
  unpack_bits(in, bits, values);
}

void expand_uniform(const Context& context, const Seed& seed, std::span<std::uint64_t> polynomial) {
  for (std::size_t i = 0; i < context.primes(); ++i) {
    Prng prng(seed, i);
    sample_uniform(prng, context.tables(i).modulus().value(), context.part(polynomial, i));
  }
}

}  // namespace ap::bfv

#include "he/bfv/wire.h"

#include <algorithm>

#include "base/bits.h"
#include "base/memory.h"

namespace ap::bfv {

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

}  // namespace ap::bfv

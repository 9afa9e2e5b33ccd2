// Fixed-width bit packing: n values of b bits each take exactly ceil(n*b/8) bytes, whatever the values are,
// so that the size of a message is a function of public shapes only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace ap {

/// Bytes that `count` values of `bits` bits each take.
constexpr std::size_t packed_bytes(std::size_t count, int bits) {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(count) * static_cast<unsigned>(bits) + 7) / 8);
}

/// Packs the low `bits` (1..64) bits of each value, little endian, bit 0 first; `out` must hold
/// packed_bytes(values.size(), bits) bytes. Unused bits of the last byte are zero.
void pack_bits(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out);

/// The inverse of pack_bits. `in` must hold exactly packed_bytes(values.size(), bits) bytes.
void unpack_bits(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values);

}  // namespace ap

// Random access to bit-packed rows (base/bits.h packs them).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace ap::mpc {

/// The `bits` (1..56) bits from bit position `at` on; the field must lie inside `packed`.
inline std::uint64_t packed_field(std::span<const std::uint8_t> packed, std::uint64_t at, int bits) {
  const auto byte = static_cast<std::size_t>(at / 8);
  std::uint64_t raw = 0;
  if (byte + 8 <= packed.size()) {
    std::memcpy(&raw, packed.data() + byte, 8);
  } else {
    std::memcpy(&raw, packed.data() + byte, packed.size() - byte);
  }
  return (raw >> (at % 8)) & ((std::uint64_t{1} << bits) - 1);
}

}  // namespace ap::mpc

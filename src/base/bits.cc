#include "base/bits.h"

namespace ap {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

void pack_bits(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out) {
  AP_ASSERT(bits >= 1 && bits <= 64);
  AP_ASSERT(out.size() == packed_bytes(values.size(), bits));
  const std::uint64_t mask = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
  Wide pending = 0;
  int held = 0;
  std::size_t at = 0;
  for (const std::uint64_t value : values) {
    pending |= static_cast<Wide>(value & mask) << held;
    held += bits;
    while (held >= 32) {
      const auto word = static_cast<std::uint32_t>(pending);
      std::memcpy(out.data() + at, &word, 4);
      at += 4;
      pending >>= 32;
      held -= 32;
    }
  }
  for (; held > 0; held -= 8) {
    out[at++] = static_cast<std::uint8_t>(pending);
    pending >>= 8;
  }
}

void unpack_bits(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values) {
  AP_ASSERT(bits >= 1 && bits <= 64);
  AP_ASSERT(in.size() == packed_bytes(values.size(), bits));
  const std::uint64_t mask = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
  Wide pending = 0;
  int held = 0;
  std::size_t at = 0;
  for (std::uint64_t& value : values) {
    while (held < bits) {
      if (at + 4 <= in.size()) {
        std::uint32_t word;
        std::memcpy(&word, in.data() + at, 4);
        pending |= static_cast<Wide>(word) << held;
        held += 32;
        at += 4;
      } else {
        pending |= static_cast<Wide>(in[at++]) << held;
        held += 8;
      }
    }
    value = static_cast<std::uint64_t>(pending) & mask;
    pending >>= bits;
    held -= bits;
  }
}

}  // namespace ap

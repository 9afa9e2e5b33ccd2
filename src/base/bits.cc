#include "base/bits.h"

#include <algorithm>

namespace ap {
namespace {

__extension__ using Wide = unsigned __int128;

// Up to this width a value and the bits before it in its byte fit one word.
constexpr int kWordBits = 56;

std::uint64_t low_mask(int bits) { return ~std::uint64_t{0} >> (64 - bits); }

// Any width, any count: never touches a byte beyond the end.
void pack_careful(std::span<const std::uint64_t> values, int bits, std::uint8_t* out) {
  const std::uint64_t mask = low_mask(bits);
  Wide pending = 0;
  int held = 0;
  for (const std::uint64_t value : values) {
    pending |= static_cast<Wide>(value & mask) << held;
    held += bits;
    for (; held >= 32; held -= 32, out += 4, pending >>= 32) {
      const auto word = static_cast<std::uint32_t>(pending);
      std::memcpy(out, &word, 4);
    }
  }
  for (; held > 0; held -= 8, pending >>= 8) *out++ = static_cast<std::uint8_t>(pending);
}

void unpack_careful(const std::uint8_t* in, int bits, std::span<std::uint64_t> values,
                    std::uint64_t first_bit) {
  const std::uint64_t mask = low_mask(bits);
  in += first_bit / 8;
  const int skip = static_cast<int>(first_bit % 8);
  Wide pending = 0;
  int held = 0;
  if (skip > 0 && !values.empty()) {
    pending = *in++ >> skip;
    held = 8 - skip;
  }
  for (std::uint64_t& value : values) {
    for (; held < bits; held += 8) pending |= static_cast<Wide>(*in++) << held;
    value = static_cast<std::uint64_t>(pending) & mask;
    pending >>= bits;
    held -= bits;
  }
}

}  // namespace

void pack_bits(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out) {
  AP_ASSERT(bits >= 1 && bits <= 64);
  AP_ASSERT(out.size() == packed_bytes(values.size(), bits));
  // Eight values fill `bits` whole bytes. A group may write up to seven zero bytes too far, which the next
  // group overwrites; so the groups near the end are left to the careful loop.
  const auto width = static_cast<std::size_t>(bits);
  std::size_t done = 0;
  if (bits <= kWordBits) {
    const std::uint64_t mask = low_mask(bits);
    std::uint8_t* group = out.data();
    for (; done + 8 <= values.size() && done / 8 * width + width + 8 <= out.size();
         done += 8, group += bits) {
      std::uint64_t pending = 0;
      std::size_t held = 0;
      std::uint8_t* to = group;
      for (std::size_t j = 0; j < 8; ++j) {
        pending |= (values[done + j] & mask) << held;
        std::memcpy(to, &pending, 8);
        held += width;
        to += held / 8;
        pending >>= held / 8 * 8;
        held %= 8;
      }
    }
  }
  pack_careful(values.subspan(done), bits, out.data() + done / 8 * width);
}

void unpack_bits(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values) {
  AP_ASSERT(bits >= 1 && bits <= 64);
  AP_ASSERT(in.size() == packed_bytes(values.size(), bits));
  // Value i lies inside the nine bytes from byte floor(i bits / 8), as long as those exist; eight are enough
  // for all but the largest widths.
  const auto width = static_cast<std::uint64_t>(bits);
  const std::uint64_t mask = low_mask(bits);
  std::uint64_t done = 0;
  if (in.size() >= 9) {
    const auto safe = std::min<std::uint64_t>(values.size(), (std::uint64_t{in.size() - 9} * 8) / width + 1);
    for (; done < safe; ++done) {
      const std::uint8_t* from = in.data() + done * width / 8;
      const std::uint64_t shift = done * width % 8;
      std::uint64_t word;
      std::memcpy(&word, from, 8);
      word >>= shift;
      if (bits > kWordBits) word |= static_cast<std::uint64_t>(from[8]) << 1 << (63 - shift);
      values[done] = word & mask;
    }
  }
  unpack_careful(in.data(), bits, values.subspan(static_cast<std::size_t>(done)), done * width);
}

}  // namespace ap

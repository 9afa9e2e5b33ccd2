#include "mpc/ot/column_check.h"

#include <array>

#include "base/declassify.h"
#include "base/error.h"
#include "random/tagged_hash.h"

namespace ap::mpc {

ColumnCheck::ColumnCheck(ByteView mask)
    : mask_(tagged_hash("AutoPrivacy column mask", {mask})), sums_(kColumns + 1) {}

GfPowers ColumnCheck::point(ByteView columns) {
  std::array<std::uint8_t, 8> number;
  std::memcpy(number.data(), &parts_, number.size());
  ++parts_;
  return GfPowers(load_block(tagged_hash("AutoPrivacy column point", {mask_, number, columns}).data()));
}

Bytes ColumnCheck::message() const {
  Bytes message(kMessageBytes);
  store_block(message.data(), sums_[kColumns]);
  for (std::size_t j = 0; j < kColumns; ++j) store_block(message.data() + (1 + j) * sizeof(Block), sums_[j]);
  return message;
}

bool ColumnCheck::accepts(ByteView message, const Block& delta) const {
  AP_ASSERT(message.size() == kMessageBytes);
  const Block x = load_block(message.data());
  Block difference{0, 0};
  for (std::size_t j = 0; j < kColumns; ++j) {
    const Block t = load_block(message.data() + (1 + j) * sizeof(Block));
    const Block wrong = sums_[j] ^ t ^ (x & mask_of(((j < 64 ? delta.lo : delta.hi) >> (j % 64)) & 1));
    difference = {difference.lo | wrong.lo, difference.hi | wrong.hi};
  }
  const bool equal = (difference.lo | difference.hi) == 0;
  declassify(equal);  // the peer sees whether the session goes on
  return equal;
}

}  // namespace ap::mpc

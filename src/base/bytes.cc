#include "base/bytes.h"

namespace ap {

void ByteWriter::raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

ByteView ByteReader::raw(std::size_t count) {
  if (count > remaining()) {
    fail(code_, "{} is truncated: {} more bytes expected at offset {}, {} left", what_, count, at_,
         remaining());
  }
  ByteView view = bytes_.subspan(at_, count);
  at_ += count;
  return view;
}

std::string ByteReader::string(std::size_t max_bytes) {
  const std::size_t length = u32();
  if (length > max_bytes) {
    fail(code_, "{} holds a string of {} bytes where at most {} are allowed", what_, length, max_bytes);
  }
  const ByteView view = raw(length);
  return std::string(view.begin(), view.end());
}

void ByteReader::expect_end() const {
  if (remaining() != 0) fail(code_, "{} has {} bytes too many at its end", what_, remaining());
}

}  // namespace ap

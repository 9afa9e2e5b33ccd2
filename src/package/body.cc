#include "package/body.h"

#include <algorithm>

#include "base/error.h"

namespace ap::package {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

}  // namespace

BodyReader::BodyReader(ByteView packed, std::uint64_t size, const std::string& name)
    : frame_(packed, size, name), size_(size), name_(name) {}

void BodyReader::read(std::span<std::uint8_t> out) {
  frame_.read(out);
  read_ += out.size();
}

std::uint32_t BodyReader::u32() {
  const Bytes bytes = take(4);
  return ByteReader(bytes, name_).u32();
}

std::uint64_t BodyReader::u64() {
  const Bytes bytes = take(8);
  return ByteReader(bytes, name_).u64();
}

Bytes BodyReader::take(std::uint64_t count) {
  if (count > remaining()) {
    fail_input("{} is truncated: {} more bytes expected, {} left", name_, count, remaining());
  }
  Bytes bytes;
  while (bytes.size() < count) {
    const std::size_t at = bytes.size();
    bytes.resize(at + std::min<std::uint64_t>(kPiece, count - at));
    read(std::span(bytes).subspan(at));
  }
  return bytes;
}

void BodyReader::expect_end() {
  if (remaining() != 0) fail_input("{} has {} bytes too many at its end", name_, remaining());
  frame_.expect_end();
}

}  // namespace ap::package

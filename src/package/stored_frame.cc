#include "package/stored_frame.h"

#include <algorithm>

#include "base/error.h"

namespace ap::package {
namespace {

// RFC 8878, 3.1.1: magic number; a descriptor that says that eight bytes give the size of the content and that nothing
// else follows but the window, of 2^17 bytes, which is also the size of a block.
constexpr std::uint32_t kMagic = 0xfd2fb528;
constexpr std::uint8_t kDescriptor = 0xc0;
constexpr std::uint8_t kWindow = (17 - 10) << 3;
constexpr std::size_t kHeadBytes = 4 + 1 + 1 + 8;
constexpr std::size_t kBlockBytes = std::size_t{1} << 17;
constexpr std::size_t kBlockHeadBytes = 3;
constexpr std::uint32_t kRaw = 0;  // 3.1.1.2: a block that is not compressed

}  // namespace

Bytes stored_frame(ByteView content) {
  Bytes out;
  out.reserve(kHeadBytes + content.size() + (content.size() / kBlockBytes + 1) * kBlockHeadBytes);
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  put(kMagic, 4);
  put(kDescriptor, 1);
  put(kWindow, 1);
  put(content.size(), 8);
  do {
    const std::size_t now = std::min(kBlockBytes, content.size());
    put(now << 3 | kRaw << 1 | (now == content.size() ? 1 : 0), kBlockHeadBytes);
    out.insert(out.end(), content.begin(), content.begin() + static_cast<std::ptrdiff_t>(now));
    content = content.subspan(now);
  } while (!content.empty());
  return out;
}

StoredFrameReader::StoredFrameReader(ByteView frame, std::uint64_t size, std::string name)
    : frame_(frame), name_(std::move(name)) {
  ByteReader head(take(kHeadBytes), name_);
  const bool stored = head.u32() == kMagic && head.u8() == kDescriptor && head.u8() == kWindow;
  if (!stored) {
    fail_input(
        "{} is compressed, and this program was built without Zstandard; write the client's package with: autoprivacy "
        "compile --uncompressed",
        name_);
  }
  if (head.u64() != size) fail_input("{} is damaged: its body does not have the declared size", name_);
  next_block();
}

void StoredFrameReader::fail_damaged() const {
  fail_input("{} is damaged: its body is no frame of uncompressed blocks", name_);
}

ByteView StoredFrameReader::take(std::size_t bytes) {
  if (bytes > frame_.size()) fail_damaged();
  const ByteView taken = frame_.first(bytes);
  frame_ = frame_.subspan(bytes);
  return taken;
}

void StoredFrameReader::next_block() {
  const ByteView head = take(kBlockHeadBytes);
  const std::uint32_t word = head[0] | std::uint32_t{head[1]} << 8 | std::uint32_t{head[2]} << 16;
  if (((word >> 1) & 3) != kRaw || word >> 3 > kBlockBytes) fail_damaged();
  last_block_ = (word & 1) != 0;
  block_ = take(word >> 3);
}

void StoredFrameReader::read(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    while (block_.empty()) {
      if (last_block_) fail_damaged();
      next_block();
    }
    const std::size_t now = std::min(block_.size(), out.size());
    std::copy_n(block_.begin(), now, out.begin());
    block_ = block_.subspan(now);
    out = out.subspan(now);
  }
}

void StoredFrameReader::expect_end() {
  while (block_.empty() && !last_block_) next_block();
  if (!block_.empty() || !frame_.empty()) fail_damaged();
}

}  // namespace ap::package

#include "package/body.h"

#include <algorithm>
#include <new>

#include "base/error.h"

namespace ap::package {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
// What a frame may ask to keep of its content: log2 of bytes. make_packages needs 22.
constexpr int kMaxWindowLog = 25;

}  // namespace

BodyReader::BodyReader(ByteView packed, std::uint64_t size, const std::string& name)
    : context_(ZSTD_createDCtx(), &ZSTD_freeDCtx),
      in_{packed.data(), packed.size(), 0},
      size_(size),
      name_(name) {
  if (!context_) throw std::bad_alloc();
  AP_ASSERT(!ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog)));
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) {
    fail_input("{} is damaged: its body does not have the declared size", name_);
  }
}

void BodyReader::read(std::span<std::uint8_t> out) {
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (to.pos < to.size) {
    const std::size_t before = to.pos;
    const std::size_t left = frame_ended_ ? 0 : ZSTD_decompressStream(context_.get(), &to, &in_);
    if (ZSTD_isError(left) || (to.pos == before && (left == 0 || in_.pos == in_.size))) {
      fail_input("{} is damaged: its body cannot be decompressed", name_);
    }
    frame_ended_ = left == 0;
  }
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
  // The end of the frame holds no content, but may not have been asked for yet.
  std::uint8_t none;
  ZSTD_outBuffer to{&none, 0, 0};
  const std::size_t left = frame_ended_ ? 0 : ZSTD_decompressStream(context_.get(), &to, &in_);
  if (left != 0 || in_.pos != in_.size) {
    fail_input("{} is damaged: its body cannot be decompressed", name_);
  }
}

}  // namespace ap::package

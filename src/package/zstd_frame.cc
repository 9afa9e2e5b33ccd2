#if !defined(AP_NO_ZSTD)
#include "package/zstd_frame.h"

#include <new>

#include "base/error.h"

namespace ap::package {
namespace {

constexpr int kLevel = 9;
// What a frame may ask to keep of its content: log2 of bytes. zstd_frame needs 22.
constexpr int kMaxWindowLog = 25;

}  // namespace

Bytes zstd_frame(ByteView content) {
  Bytes out(ZSTD_compressBound(content.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), content.data(), content.size(), kLevel);
  AP_ASSERT(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

ZstdFrameReader::ZstdFrameReader(ByteView frame, std::uint64_t size, std::string name)
    : context_(ZSTD_createDCtx(), &ZSTD_freeDCtx),
      in_{frame.data(), frame.size(), 0},
      name_(std::move(name)) {
  if (!context_) throw std::bad_alloc();
  AP_ASSERT(!ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog)));
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != size) {
    fail_input("{} is damaged: its body does not have the declared size", name_);
  }
}

void ZstdFrameReader::read(std::span<std::uint8_t> out) {
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (to.pos < to.size) {
    const std::size_t before = to.pos;
    const std::size_t left = frame_ended_ ? 0 : ZSTD_decompressStream(context_.get(), &to, &in_);
    if (ZSTD_isError(left) || (to.pos == before && (left == 0 || in_.pos == in_.size))) {
      fail_input("{} is damaged: its body cannot be decompressed", name_);
    }
    frame_ended_ = left == 0;
  }
}

void ZstdFrameReader::expect_end() {
  // The end of the frame holds no content, but may not have been asked for yet.
  std::uint8_t none;
  ZSTD_outBuffer to{&none, 0, 0};
  const std::size_t left = frame_ended_ ? 0 : ZSTD_decompressStream(context_.get(), &to, &in_);
  if (left != 0 || in_.pos != in_.size) {
    fail_input("{} is damaged: its body cannot be decompressed", name_);
  }
}

}  // namespace ap::package
#endif

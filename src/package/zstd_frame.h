// Compressed bodies, by libzstd. Left out where that is missing (AP_NO_ZSTD).
#pragma once

#if !defined(AP_NO_ZSTD)
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"

namespace ap::package {

/// The frame of this content.
Bytes zstd_frame(ByteView content);

/// Decompresses a frame as far as it is read and no further. Every failure is an Error(input) that names the file.
class ZstdFrameReader {
 public:
  /// `frame` must outlive the reader and declare `size` bytes of content.
  ZstdFrameReader(ByteView frame, std::uint64_t size, std::string name);

  /// Fills the span.
  void read(std::span<std::uint8_t> out);
  /// Fails unless frame and content end here.
  void expect_end();

 private:
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  ZSTD_inBuffer in_;
  bool frame_ended_ = false;
  std::string name_;
};

}  // namespace ap::package
#endif

// The compressed body of a package file, decompressed as far as it is read and no further: what a part holds
// is known, and found to be small, before the next one takes memory.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#if defined(AP_NO_ZSTD)
#include "package/stored_frame.h"
#else
#include "package/zstd_frame.h"
#endif

namespace ap::package {

#if defined(AP_NO_ZSTD)
using FrameReader = StoredFrameReader;
#else
using FrameReader = ZstdFrameReader;
#endif

/// Stream of the bytes of one Zstandard frame. Every failure is an Error(input) that names the file.
class BodyReader {
 public:
  /// `packed` must be the whole frame, outlive the reader and declare `size` bytes of content.
  BodyReader(ByteView packed, std::uint64_t size, const std::string& name);

  std::uint64_t remaining() const { return size_ - read_; }
  std::uint32_t u32();
  std::uint64_t u64();
  /// The next `count` bytes. Memory grows with what the frame really holds, not with `count`.
  Bytes take(std::uint64_t count);
  /// Fails unless everything was read.
  void expect_end();

 private:
  /// Fills the span.
  void read(std::span<std::uint8_t> out);

  FrameReader frame_;
  std::uint64_t size_, read_ = 0;
  std::string name_;
};

}  // namespace ap::package

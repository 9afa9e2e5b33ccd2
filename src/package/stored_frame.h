// Zstandard frames (RFC 8878) whose blocks are not compressed: every Zstandard reads them, and to read them takes no
// Zstandard. So a package can be made for clients on machines that have none (docs/portability.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace ap::package {

/// The frame of this content: at most content.size() + 3 (content.size() / 2^17 + 1) + 14 bytes.
Bytes stored_frame(ByteView content);

/// Reads such a frame, piece by piece. Every failure is an Error(input) that names the file.
class StoredFrameReader {
 public:
  /// `frame` must outlive the reader and declare `size` bytes of content.
  /// @throws Error(input) also if the first block is compressed.
  StoredFrameReader(ByteView frame, std::uint64_t size, std::string name);

  /// Fills the span.
  void read(std::span<std::uint8_t> out);
  /// Fails unless frame and content end here.
  void expect_end();

 private:
  [[noreturn]] void fail_damaged() const;
  ByteView take(std::size_t bytes);
  void next_block();

  ByteView frame_;  ///< what was not read yet
  ByteView block_;  ///< of the current block
  bool last_block_ = false;
  std::string name_;
};

}  // namespace ap::package

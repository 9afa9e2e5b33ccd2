// BLAKE2b (RFC 7693) in plain C++: the reference beside libsodium's, for machines that have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace ap::crypto::plain {

/// The hash of one byte string, given in parts.
class Blake2b {
 public:
  /// @param digest_bytes  1 to 64
  /// @param key  at most 64 bytes; empty for none
  explicit Blake2b(std::size_t digest_bytes, ByteView key = {});
  ~Blake2b();
  Blake2b(const Blake2b&) = default;
  Blake2b& operator=(const Blake2b&) = delete;

  void add(ByteView bytes);
  /// Ends it. @param digest  digest_bytes bytes
  void finish(std::span<std::uint8_t> digest);

 private:
  static constexpr std::size_t kBlockBytes = 128;
  void compress(bool last);

  std::array<std::uint64_t, 8> state_;
  std::array<std::uint8_t, kBlockBytes> block_{};
  std::size_t held_ = 0;          ///< bytes that wait in block_: a full block waits for more
  std::uint64_t compressed_ = 0;  ///< bytes before them
  std::size_t digest_bytes_;
};

}  // namespace ap::crypto::plain

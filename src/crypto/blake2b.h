// BLAKE2b (RFC 7693): libsodium's, or where that is missing (AP_PLAIN_CRYPTO) the project's own.
#pragma once

#if defined(AP_PLAIN_CRYPTO)
#include "crypto/plain/blake2b.h"

namespace ap::crypto {
using plain::Blake2b;
}  // namespace ap::crypto

#else
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace ap::crypto {

/// The hash of one byte string, given in parts.
class Blake2b {
 public:
  /// @param digest_bytes  16 to 64
  /// @param key  at most 64 bytes; empty for none
  explicit Blake2b(std::size_t digest_bytes, ByteView key = {});
  ~Blake2b();
  Blake2b(const Blake2b& other);
  Blake2b& operator=(const Blake2b&) = delete;

  void add(ByteView bytes);
  /// Ends it. @param digest  digest_bytes bytes
  void finish(std::span<std::uint8_t> digest);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::crypto
#endif

// SHA-256 (FIPS 180-4): OpenSSL's, or where that is missing (AP_PLAIN_CRYPTO) the project's own.
#pragma once

#if defined(AP_PLAIN_CRYPTO)
#include "crypto/plain/sha256.h"

namespace ap::crypto {
using plain::Sha256;
}  // namespace ap::crypto

#else
#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace ap::crypto {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(ByteView bytes);
  /// The hash of what was added so far; adding may go on.
  Digest value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::crypto
#endif

namespace ap::crypto {

inline Sha256::Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.value();
}

}  // namespace ap::crypto

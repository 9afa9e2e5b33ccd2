// The key stream of AES-256 in counter mode (FIPS 197; NIST SP 800-38A, 6.5): OpenSSL's, or where that is
// missing (AP_PLAIN_CRYPTO) the project's own.
#pragma once

#if defined(AP_PLAIN_CRYPTO)
#include "crypto/plain/aes.h"

namespace ap::crypto {
using plain::Aes256Ctr;
}  // namespace ap::crypto

#else
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ap::crypto {

class Aes256Ctr {
 public:
  /// @param counter  the first counter block; it counts as one big-endian number
  Aes256Ctr(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> counter);
  ~Aes256Ctr();
  Aes256Ctr(const Aes256Ctr&) = delete;
  Aes256Ctr& operator=(const Aes256Ctr&) = delete;

  /// The next bytes of the key stream, a multiple of 16.
  void generate(std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::crypto
#endif

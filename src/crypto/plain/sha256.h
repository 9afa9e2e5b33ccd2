// SHA-256 (FIPS 180-4) in plain C++: the reference beside OpenSSL's, for machines that have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ap::crypto::plain {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  void add(ByteView bytes);
  /// The hash of what was added so far; adding may go on.
  Digest value() const;

 private:
  static constexpr std::size_t kBlockBytes = 64;
  void compress(const std::uint8_t* block);

  // 5.3.3: the fractions of the square roots of the first eight primes.
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, kBlockBytes> block_{};
  std::uint64_t bytes_ = 0;  ///< added so far; the last bytes_ % kBlockBytes wait in block_
};

}  // namespace ap::crypto::plain

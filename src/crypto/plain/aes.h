// AES (FIPS 197) in plain C++, encryption only, in the place of AES instructions and of OpenSSL for machines
// without them. Bitsliced: eight blocks lie in eight registers of 128 bits, one for each bit of a byte, and
// the S-box is a circuit of ANDs and XORs. No branch and no address depends on a key or on data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/memory.h"

namespace ap::crypto::plain {

inline constexpr std::size_t kAesBlockBytes = 16;
inline constexpr std::size_t kAes128Rounds = 10;
inline constexpr std::size_t kAes256Rounds = 14;

/// FIPS 197, 5.2: the round keys one after another, the first of which begins with the key.
/// @param key  16 or 32 bytes
/// @param round_keys  16 (kAes128Rounds + 1) or 16 (kAes256Rounds + 1) bytes
void aes_expand_key(ByteView key, std::span<std::uint8_t> round_keys);

/// Eight blocks, or a round key eight times: bit b of byte p of bit[i] is bit i of byte p of block b.
struct AesPlanes {
  std::uint64_t __attribute__((vector_size(16))) bit[8];
};

class Aes {
 public:
  /// @param round_keys  what aes_expand_key made
  explicit Aes(ByteView round_keys);

  /// out = AES(in), block by block; `in` may equal `out`.
  void encrypt(const std::uint8_t* in, std::uint8_t* out, std::size_t blocks) const;

 private:
  SecretVector<AesPlanes> keys_;
};

/// The key stream of AES-256 in counter mode (NIST SP 800-38A, 6.5).
class Aes256Ctr {
 public:
  /// @param counter  the first counter block; it counts as one big-endian number
  Aes256Ctr(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, kAesBlockBytes> counter);

  /// The next bytes of the key stream, a multiple of 16.
  void generate(std::span<std::uint8_t> out);

 private:
  Aes aes_;
  std::uint64_t high_, low_;  ///< of the next counter block
};

}  // namespace ap::crypto::plain

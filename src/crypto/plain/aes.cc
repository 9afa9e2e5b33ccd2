#include "crypto/plain/aes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/wipe_objects.h"

namespace ap::crypto::plain {
namespace {

constexpr std::size_t kBits = 8;      // of a byte
constexpr std::size_t kTogether = 8;  // blocks
constexpr std::uint64_t kEveryByte = 0x0101010101010101;

using Plane = std::uint64_t __attribute__((vector_size(16)));
using Columns = std::uint32_t __attribute__((vector_size(16)));  // of a state: one word each

Plane every(std::uint64_t word) { return Plane{word, word}; }

/// Exchanges the bits of a that `mask` << shift names for the bits of b that `mask` names.
inline void swap_bits(Plane& a, Plane& b, int shift, std::uint64_t mask) {
  const Plane change = ((a >> shift) ^ b) & every(mask);
  b ^= change;
  a ^= change << shift;
}

/// Transposes the 8 x 8 bits at every byte: from register = block, bit = bit of a byte, to register = bit,
/// bit = block, and back.
inline void transpose(AesPlanes& planes) {
  Plane* const x = planes.bit;
  for (std::size_t i = 0; i < 4; ++i) swap_bits(x[i], x[i + 4], 4, 0x0f * kEveryByte);
  for (const std::size_t i : {0, 1, 4, 5}) swap_bits(x[i], x[i + 2], 2, 0x33 * kEveryByte);
  for (const std::size_t i : {0, 2, 4, 6}) swap_bits(x[i], x[i + 1], 1, 0x55 * kEveryByte);
}

/// SubBytes (FIPS 197, 5.1.1): the circuit of 115 gates of Boyar and Peralta, "A new combinational logic
/// minimization technique with applications to cryptology" (eprint 2009/191), with the names of its figures;
/// x0 and s0 are the highest bits.
inline void sub_bytes(AesPlanes& planes) {
  Plane* const p = planes.bit;
  const Plane x0 = p[7], x1 = p[6], x2 = p[5], x3 = p[4], x4 = p[3], x5 = p[2], x6 = p[1], x7 = p[0];
  // To the tower of fields.
  const Plane y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2;
  const Plane y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8;
  const Plane t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0, y11 = y20 ^ y9;
  const Plane y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;
  // The inverse there.
  const Plane t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2;
  const Plane t7 = y13 & y16, t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7;
  const Plane t12 = y9 & y11, t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
  const Plane t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
  const Plane t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22;
  const Plane t30 = t23 ^ t24, t31 = t22 ^ t26, t33 = (t31 & t30) ^ t24;
  const Plane t34 = t23 ^ t33, t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34;
  const Plane t38 = t27 ^ t36, t40 = t25 ^ (t29 & t38);
  const Plane t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37, t45 = t42 ^ t41;
  const Plane z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
  const Plane z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
  const Plane z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14,
              z17 = t41 & y8;
  // Back, and the affine map.
  const Plane t46 = z15 ^ z16, t48 = z5 ^ z13, t49 = z9 ^ z10, t52 = z7 ^ z8, t53 = z0 ^ z3, t54 = z6 ^ z7;
  const Plane t57 = z2 ^ z12 ^ t53, t58 = z4 ^ t46, t59 = z3 ^ t54, t62 = t52 ^ t58, t63 = t49 ^ t58;
  const Plane t64 = z4 ^ t59, t65 = z14 ^ t57 ^ t62, t66 = z1 ^ t63, s3 = t53 ^ t66;
  p[7] = t59 ^ t63;
  p[6] = ~(t64 ^ s3);
  p[5] = ~(z16 ^ z17 ^ t64 ^ t65);
  p[4] = s3;
  p[3] = z2 ^ z5 ^ t66;
  p[2] = z10 ^ z11 ^ t65;
  p[1] = ~(z12 ^ t48 ^ t62);
  p[0] = ~(t48 ^ t46 ^ t57);
}

#if defined(__wasm_simd128__) || defined(__aarch64__)
// Machines with an instruction that permutes bytes; byte 4 c + r of a plane is row r of column c.
using RowsAndColumns = std::uint8_t __attribute__((vector_size(16)));

/// Row r takes what row r + kStep holds.
template <int kStep>
inline Plane later_rows(Plane x) {
  constexpr int k1 = kStep % 4, k2 = (kStep + 1) % 4, k3 = (kStep + 2) % 4, k4 = (kStep + 3) % 4;
  const auto bytes = reinterpret_cast<RowsAndColumns>(x);
  return reinterpret_cast<Plane>(__builtin_shufflevector(bytes, bytes, k1, k2, k3, k4, 4 + k1, 4 + k2, 4 + k3,
                                                         4 + k4, 8 + k1, 8 + k2, 8 + k3, 8 + k4, 12 + k1,
                                                         12 + k2, 12 + k3, 12 + k4));
}

/// ShiftRows (5.1.2): row r of the state, byte r of each column, moves r columns.
inline void shift_rows(AesPlanes& planes) {
  for (Plane& p : planes.bit) {
    const auto bytes = reinterpret_cast<RowsAndColumns>(p);
    p = reinterpret_cast<Plane>(
        __builtin_shufflevector(bytes, bytes, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11));
  }
}
#else
template <int kStep>
inline Plane later_columns(Plane x) {
  const auto c = reinterpret_cast<Columns>(x);
  return reinterpret_cast<Plane>(
      __builtin_shufflevector(c, c, kStep % 4, (kStep + 1) % 4, (kStep + 2) % 4, (kStep + 3) % 4));
}
/// Row r takes what row r + kStep holds.
template <int kStep>
inline Plane later_rows(Plane x) {
  const auto c = reinterpret_cast<Columns>(x);
  return reinterpret_cast<Plane>((c >> (8 * kStep)) | (c << (32 - 8 * kStep)));
}

/// ShiftRows (5.1.2): row r of the state, byte r of each column, moves r columns.
inline void shift_rows(AesPlanes& planes) {
  constexpr std::uint64_t kRow = 0x000000ff000000ff;
  for (Plane& p : planes.bit) {
    p = (p & every(kRow)) | (later_columns<1>(p) & every(kRow << 8)) |
        (later_columns<2>(p) & every(kRow << 16)) | (later_columns<3>(p) & every(kRow << 24));
  }
}
#endif

/// MixColumns (5.1.3): 2 (a_r + a_(r+1)) + a_(r+1) + a_(r+2) + a_(r+3), where doubling moves each bit to the
/// next plane and the highest to those of x^8 = x^4 + x^3 + x + 1.
inline void mix_columns(AesPlanes& planes) {
  Plane* const x = planes.bit;
  Plane sum[kBits], next[kBits];  // a_r + a_(r+1), and a_(r+1)
  for (std::size_t i = 0; i < kBits; ++i) {
    next[i] = later_rows<1>(x[i]);
    sum[i] = x[i] ^ next[i];
  }
  for (std::size_t i = 0; i < kBits; ++i) {
    Plane doubled = sum[(i + kBits - 1) % kBits];
    if (i == 1 || i == 3 || i == 4) doubled ^= sum[kBits - 1];
    x[i] = doubled ^ next[i] ^ later_rows<2>(sum[i]);
  }
}

inline void add_round_key(AesPlanes& planes, const AesPlanes& key) {
  for (std::size_t i = 0; i < kBits; ++i) planes.bit[i] ^= key.bit[i];
}

/// The S-box on four bytes.
void sub_word(std::uint8_t* word) {
  AesPlanes x{};
  std::memcpy(&x, word, 4);
  transpose(x);
  sub_bytes(x);
  transpose(x);
  std::memcpy(word, &x, 4);
  wipe_objects(x);
}

}  // namespace

void aes_expand_key(ByteView key, std::span<std::uint8_t> round_keys) {
  const std::size_t length = key.size();
  AP_ASSERT((length == 16 && round_keys.size() == kAesBlockBytes * (kAes128Rounds + 1)) ||
            (length == 32 && round_keys.size() == kAesBlockBytes * (kAes256Rounds + 1)));
  std::copy(key.begin(), key.end(), round_keys.begin());
  std::uint8_t constant = 1;  // powers of x
  std::array<std::uint8_t, 4> word;
  for (std::size_t at = length; at < round_keys.size(); at += word.size()) {
    std::copy_n(round_keys.data() + at - word.size(), word.size(), word.data());
    if (at % length == 0) {
      std::rotate(word.begin(), word.begin() + 1, word.end());
      sub_word(word.data());
      word[0] ^= constant;
      constant = static_cast<std::uint8_t>((constant << 1) ^ ((constant >> 7) * 0x1b));
    } else if (length == 32 && at % length == 16) {
      sub_word(word.data());
    }
    for (std::size_t i = 0; i < word.size(); ++i) round_keys[at + i] = round_keys[at + i - length] ^ word[i];
  }
  wipe_objects(word);
}

Aes::Aes(ByteView round_keys) : keys_(round_keys.size() / kAesBlockBytes) {
  AP_ASSERT(round_keys.size() == kAesBlockBytes * (kAes128Rounds + 1) ||
            round_keys.size() == kAesBlockBytes * (kAes256Rounds + 1));
  for (std::size_t round = 0; round < keys_.size(); ++round) {
    Plane bytes;
    std::memcpy(&bytes, round_keys.data() + round * kAesBlockBytes, sizeof bytes);
    for (std::size_t i = 0; i < kBits; ++i) {
      const Plane bit = (bytes >> static_cast<int>(i)) & every(kEveryByte);
      keys_[round].bit[i] = (bit << 8) - bit;  // of each byte, for all blocks
    }
  }
}

void Aes::encrypt(const std::uint8_t* in, std::uint8_t* out, std::size_t blocks) const {
  AesPlanes x{};
  for (std::size_t at = 0; at < blocks; at += kTogether) {
    const std::size_t bytes = std::min(kTogether, blocks - at) * kAesBlockBytes;
    std::memcpy(&x, in + at * kAesBlockBytes, bytes);
    transpose(x);
    add_round_key(x, keys_.front());
    for (std::size_t round = 1; round + 1 < keys_.size(); ++round) {
      sub_bytes(x);
      shift_rows(x);
      mix_columns(x);
      add_round_key(x, keys_[round]);
    }
    sub_bytes(x);
    shift_rows(x);
    add_round_key(x, keys_.back());
    transpose(x);
    std::memcpy(out + at * kAesBlockBytes, &x, bytes);
  }
}

namespace {

std::uint64_t load_big_endian(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = (word << 8) | bytes[i];
  return word;
}
void store_big_endian(std::uint64_t word, std::uint8_t* bytes) {
  for (int i = 7; i >= 0; --i, word >>= 8) bytes[i] = static_cast<std::uint8_t>(word);
}

SecretVector<std::uint8_t> expanded(ByteView key) {
  SecretVector<std::uint8_t> round_keys(kAesBlockBytes * (kAes256Rounds + 1));
  aes_expand_key(key, round_keys);
  return round_keys;
}

}  // namespace

Aes256Ctr::Aes256Ctr(std::span<const std::uint8_t, 32> key,
                     std::span<const std::uint8_t, kAesBlockBytes> counter)
    : aes_(expanded(key)),
      high_(load_big_endian(counter.data())),
      low_(load_big_endian(counter.data() + 8)) {}

void Aes256Ctr::generate(std::span<std::uint8_t> out) {
  AP_ASSERT(out.size() % kAesBlockBytes == 0);
  for (std::size_t at = 0; at < out.size(); at += kAesBlockBytes) {
    store_big_endian(high_, out.data() + at);
    store_big_endian(low_, out.data() + at + 8);
    high_ += ++low_ == 0;
  }
  aes_.encrypt(out.data(), out.data(), out.size() / kAesBlockBytes);
}

}  // namespace ap::crypto::plain

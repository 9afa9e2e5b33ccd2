// The hash of garbling and of oblivious transfers: TMMO of Guo, Katz, Wang, Yu, "Efficient and Secure
// Multiparty Computation from Fixed-Key Block Ciphers" (eprint 2019/074, section 7.4):
//   H(x, i) = pi(pi(x) xor i) xor pi(x),   pi = AES-128 under a public key.
// In the ideal-cipher model it is tweakable circular correlation robust: H(x xor R, i) looks random for a
// secret R even beside H(.) xor R, provided that (x, i) repeats under one key only as the caller's scheme
// allows. Half-gates need every gate to have tweaks of its own, which is why the tweak is a counter of the
// whole session.
//
// The key must not serve for long: one evaluation of pi tests all hashes under its key at once (security/
// symmetric.h). So a session draws a key with its peer (random/session_key.h), and every batch of at most
// security::kMaxHashesPerKey hashes has a key of its own, made from that by one evaluation of AES. Changing
// keys bounds what many gates lose as MiTCCR of eprint 2019/1168 does, which has a key for each gate, but
// costs nothing that can be measured: a key schedule for thousands of hashes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/core/block.h"
#include "random/session_key.h"

namespace ap::mpc {

/// AES-128's round keys; the first is the key.
struct RoundKeys {
  static constexpr int kRounds = 10;
  alignas(16) std::uint8_t bytes[kRounds + 1][16];
};

/// pi under one key. Runs on VAES, AES-NI or the portable reference implementation. The key is public.
class Permutation {
 public:
  explicit Permutation(const Block& key);

  /// out[i] = pi(in[i]) for i < count; `in` may equal `out`.
  void permute(const Block* in, Block* out, std::size_t count) const;
  /// out[i] = H(in[i], tweak + i) for i < count; `in` may equal `out`.
  void hash(const Block* in, std::uint64_t tweak, Block* out, std::size_t count) const;

  const RoundKeys& round_keys() const { return keys_; }

 private:
  RoundKeys keys_;
};

/// The permutations of one party's and one use's part of a session, by number.
class HashKeys {
 public:
  /// `session`: the part for this use.
  explicit HashKeys(const SessionKey& session);
  /// The hash under a key that key() gave before.
  explicit HashKeys(const Block& key) : key_(key), derive_(key) {}

  /// pi under key number `number`. Different numbers have different keys.
  Permutation at(std::uint64_t number) const;
  /// The key, for preprocessing that outlives its session.
  const Block& key() const { return key_; }

 private:
  Block key_;
  Permutation derive_;
};

/// The kernels by name, for the tests that compare them; call only those that cpu() offers.
namespace kernels {
using HashKernel = void (*)(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out,
                            std::size_t count);
using PermuteKernel = void (*)(const RoundKeys& keys, const Block* in, Block* out, std::size_t count);
void hash_plain(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void permute_plain(const RoundKeys& keys, const Block* in, Block* out, std::size_t count);
/// AES-128's key schedule.
void expand_key_plain(const Block& key, RoundKeys& keys);
#if defined(__x86_64__)
void hash_aesni(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void hash_vaes(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void permute_aesni(const RoundKeys& keys, const Block* in, Block* out, std::size_t count);
void permute_vaes(const RoundKeys& keys, const Block* in, Block* out, std::size_t count);
void expand_key_aesni(const Block& key, RoundKeys& keys);
#endif
}  // namespace kernels

}  // namespace ap::mpc

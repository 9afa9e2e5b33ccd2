#include "mpc/core/hash.h"

#include <algorithm>

#include "base/cpu.h"
#include "crypto/plain/aes.h"

namespace ap::mpc {
namespace {

using crypto::plain::Aes;

ByteView view(const RoundKeys& keys) { return {keys.bytes[0], sizeof keys.bytes}; }

void encrypt(const Aes& aes, const Block* in, Block* out, std::size_t count) {
  aes.encrypt(reinterpret_cast<const std::uint8_t*>(in), reinterpret_cast<std::uint8_t*>(out), count);
}

}  // namespace

namespace kernels {

void expand_key_plain(const Block& key, RoundKeys& keys) {
  std::uint8_t bytes[sizeof key];
  store_block(bytes, key);
  crypto::plain::aes_expand_key(bytes, {keys.bytes[0], sizeof keys.bytes});
}

void permute_plain(const RoundKeys& keys, const Block* in, Block* out, std::size_t count) {
  encrypt(Aes(view(keys)), in, out, count);
}

void hash_plain(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count) {
  constexpr std::size_t kBatch = 32;
  const Aes aes(view(keys));
  Block first[kBatch];
  Block second[kBatch];
  for (std::size_t at = 0; at < count; at += kBatch) {
    const std::size_t now = std::min(kBatch, count - at);
    encrypt(aes, in + at, first, now);
    for (std::size_t i = 0; i < now; ++i) second[i] = first[i] ^ Block { tweak + at + i, 0 };
    encrypt(aes, second, second, now);
    for (std::size_t i = 0; i < now; ++i) out[at + i] = second[i] ^ first[i];
  }
}

}  // namespace kernels

Permutation::Permutation(const Block& key) {
  static const auto expand_key = [] {
#if defined(__x86_64__)
    if (cpu().aes) return kernels::expand_key_aesni;
#endif
    return kernels::expand_key_plain;
  }();
  expand_key(key, keys_);
}

void Permutation::hash(const Block* in, std::uint64_t tweak, Block* out, std::size_t count) const {
  static const kernels::HashKernel kernel = [] {
#if defined(__x86_64__)
    if (cpu().vaes) return kernels::hash_vaes;
    if (cpu().aes) return kernels::hash_aesni;
#endif
    return kernels::hash_plain;
  }();
  kernel(keys_, in, tweak, out, count);
}

void Permutation::permute(const Block* in, Block* out, std::size_t count) const {
  static const kernels::PermuteKernel kernel = [] {
#if defined(__x86_64__)
    if (cpu().vaes) return kernels::permute_vaes;
    if (cpu().aes) return kernels::permute_aesni;
#endif
    return kernels::permute_plain;
  }();
  kernel(keys_, in, out, count);
}

HashKeys::HashKeys(const SessionKey& session) : HashKeys(load_block(session.bytes().data())) {}

Permutation HashKeys::at(std::uint64_t number) const {
  Block key{number, 0};
  derive_.permute(&key, &key, 1);
  return Permutation(key);
}

}  // namespace ap::mpc

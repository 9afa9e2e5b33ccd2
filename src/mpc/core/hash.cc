#include "mpc/core/hash.h"

#include <openssl/evp.h>

#include <memory>

#include "base/cpu.h"
#include "base/error.h"

namespace ap::mpc {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

/// Allocated once a thread; every use sets its key.
EVP_CIPHER_CTX* context_under(const std::uint8_t* key) {
  thread_local const Context context(EVP_CIPHER_CTX_new());
  AP_ASSERT(context != nullptr);
  AP_ASSERT(EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key, nullptr) == 1);
  AP_ASSERT(EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1);
  return context.get();
}

}  // namespace

namespace kernels {

void permute_plain(const RoundKeys& keys, const Block* in, Block* out, std::size_t count) {
  constexpr std::size_t kBatch = 1 << 20;  // the library counts bytes in an int
  EVP_CIPHER_CTX* const context = context_under(keys.bytes[0]);
  while (count > 0) {
    const std::size_t now = count < kBatch ? count : kBatch;
    int written = 0;
    const int bytes = static_cast<int>(now * sizeof(Block));
    AP_ASSERT(EVP_EncryptUpdate(context, reinterpret_cast<unsigned char*>(out), &written,
                                reinterpret_cast<const unsigned char*>(in), bytes) == 1);
    AP_ASSERT(written == bytes);
    in += now;
    out += now;
    count -= now;
  }
}

void hash_plain(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count) {
  constexpr std::size_t kBatch = 32;
  Block first[kBatch];
  Block second[kBatch];
  for (std::size_t at = 0; at < count; at += kBatch) {
    const std::size_t now = count - at < kBatch ? count - at : kBatch;
    permute_plain(keys, in + at, first, now);
    for (std::size_t i = 0; i < now; ++i) second[i] = first[i] ^ Block { tweak + at + i, 0 };
    permute_plain(keys, second, second, now);
    for (std::size_t i = 0; i < now; ++i) out[at + i] = second[i] ^ first[i];
  }
}

}  // namespace kernels

Permutation::Permutation(const Block& key) {
  store_block(keys_.bytes[0], key);
  if (cpu().aes) kernels::expand_key_aesni(key, keys_);
}

void Permutation::hash(const Block* in, std::uint64_t tweak, Block* out, std::size_t count) const {
  static const kernels::HashKernel kernel = cpu().vaes  ? kernels::hash_vaes
                                            : cpu().aes ? kernels::hash_aesni
                                                        : kernels::hash_plain;
  kernel(keys_, in, tweak, out, count);
}

void Permutation::permute(const Block* in, Block* out, std::size_t count) const {
  static const kernels::PermuteKernel kernel = cpu().vaes  ? kernels::permute_vaes
                                               : cpu().aes ? kernels::permute_aesni
                                                           : kernels::permute_plain;
  kernel(keys_, in, out, count);
}

HashKeys::HashKeys(const SessionKey& session) : HashKeys(load_block(session.bytes().data())) {}

Permutation HashKeys::at(std::uint64_t number) const {
  Block key{number, 0};
  derive_.permute(&key, &key, 1);
  return Permutation(key);
}

}  // namespace ap::mpc

// What OpenSSL does behind the interfaces of this folder.
#if !defined(AP_PLAIN_CRYPTO)
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "crypto/aes256_ctr.h"
#include "crypto/sha256.h"

namespace ap::crypto {

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  AP_ASSERT(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;

void Sha256::add(ByteView bytes) {
  AP_ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Sha256::Digest Sha256::value() const {
  const State copy;
  AP_ASSERT(copy.context && EVP_MD_CTX_copy_ex(copy.context.get(), state_->context.get()) == 1);
  Digest digest;
  AP_ASSERT(EVP_DigestFinal_ex(copy.context.get(), digest.data(), nullptr) == 1);
  return digest;
}

struct Aes256Ctr::State {
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{EVP_CIPHER_CTX_new(),
                                                                          EVP_CIPHER_CTX_free};
};

Aes256Ctr::Aes256Ctr(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> counter)
    : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_EncryptInit_ex(state_->context.get(), EVP_aes_256_ctr(), nullptr, key.data(),
                                             counter.data()) != 1) {
    fail(ErrorCode::internal, "OpenSSL refused AES-256-CTR: the random generator cannot start");
  }
}
Aes256Ctr::~Aes256Ctr() = default;

// The key stream is the encryption of zeros.
void Aes256Ctr::generate(std::span<std::uint8_t> out) {
  constexpr std::size_t kLargestCall = std::size_t{1} << 30;  // EVP takes int lengths
  AP_ASSERT(out.size() % 16 == 0);
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  while (!out.empty()) {
    const std::size_t now = std::min(out.size(), kLargestCall);
    int written = 0;
    if (EVP_EncryptUpdate(state_->context.get(), out.data(), &written, out.data(), static_cast<int>(now)) !=
        1) {
      fail(ErrorCode::internal, "OpenSSL failed to encrypt with AES-256-CTR: no random bytes");
    }
    out = out.subspan(now);
  }
}

}  // namespace ap::crypto
#endif

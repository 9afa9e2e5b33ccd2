#include "random/prng.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace ap {
namespace {

constexpr std::size_t kBufferBytes = 1024;
// EVP takes int lengths; one call never asks for more than this.
constexpr std::size_t kLargestCall = std::size_t{1} << 30;

}  // namespace

Seed random_seed() {
  Seed seed;
  std::size_t drawn = 0;
  while (drawn < seed.size()) {
    const ssize_t got = ::getrandom(seed.data() + drawn, seed.size() - drawn, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(ErrorCode::internal,
           "the operating system gave no randomness ({}): cannot draw a 32-byte seed; getrandom(2) must be "
           "allowed",
           std::strerror(errno));
    }
    drawn += static_cast<std::size_t>(got);
  }
  return seed;
}

struct Prng::State {
  explicit State(const Seed& seed, std::uint64_t stream) : buffer(kBufferBytes), used(kBufferBytes) {
    // The counter block: the stream number (8 bytes, little endian), then the block counter (8 bytes, big
    // endian).
    std::array<std::uint8_t, 16> counter{};
    for (std::size_t i = 0; i < 8; ++i) counter[i] = static_cast<std::uint8_t>(stream >> (8 * i));
    cipher = EVP_CIPHER_CTX_new();
    if (cipher == nullptr ||
        EVP_EncryptInit_ex(cipher, EVP_aes_256_ctr(), nullptr, seed.data(), counter.data()) != 1) {
      EVP_CIPHER_CTX_free(cipher);
      fail(ErrorCode::internal, "OpenSSL refused AES-256-CTR: the random generator cannot start");
    }
  }
  ~State() { EVP_CIPHER_CTX_free(cipher); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // The key stream is the encryption of zeros.
  void generate(std::uint8_t* out, std::size_t bytes) {
    std::memset(out, 0, bytes);
    while (bytes > 0) {
      const std::size_t now = std::min(bytes, kLargestCall);
      int written = 0;
      if (EVP_EncryptUpdate(cipher, out, &written, out, static_cast<int>(now)) != 1) {
        fail(ErrorCode::internal, "OpenSSL failed to encrypt with AES-256-CTR: no random bytes");
      }
      out += now;
      bytes -= now;
    }
  }

  EVP_CIPHER_CTX* cipher = nullptr;
  SecretVector<std::uint8_t> buffer;
  std::size_t used;
};

Prng::Prng(const Seed& seed, std::uint64_t stream) : state_(std::make_unique<State>(seed, stream)) {}

Prng::Prng() {
  Seed seed = random_seed();
  state_ = std::make_unique<State>(seed, 0);
  wipe(seed.data(), seed.size());
}

Prng::~Prng() = default;
Prng::Prng(Prng&&) noexcept = default;
Prng& Prng::operator=(Prng&&) noexcept = default;

void Prng::fill(std::span<std::uint8_t> out) {
  State& state = *state_;
  const std::size_t buffered = std::min(out.size(), kBufferBytes - state.used);
  if (buffered > 0) {
    std::memcpy(out.data(), state.buffer.data() + state.used, buffered);
    state.used += buffered;
    out = out.subspan(buffered);
  }
  const std::size_t direct = out.size() / kBufferBytes * kBufferBytes;
  if (direct > 0) {
    state.generate(out.data(), direct);
    out = out.subspan(direct);
  }
  if (!out.empty()) {
    state.generate(state.buffer.data(), kBufferBytes);
    std::memcpy(out.data(), state.buffer.data(), out.size());
    state.used = out.size();
  }
}

void Prng::fill(std::span<std::uint64_t> out) {
  static_assert(std::endian::native == std::endian::little, "the byte stream is read as little-endian words");
  fill(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(out.data()), out.size_bytes()));
}

std::uint64_t Prng::next64() {
  std::uint64_t word;
  fill(std::span<std::uint64_t>(&word, 1));
  return word;
}

}  // namespace ap

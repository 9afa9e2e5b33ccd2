#include "random/prng.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "crypto/aes256_ctr.h"

namespace ap {
namespace {

constexpr std::size_t kBufferBytes = 1024;

/// The counter block: the stream number (8 bytes, little endian), then the block counter (8 bytes, big endian).
std::array<std::uint8_t, 16> first_counter(std::uint64_t stream) {
  std::array<std::uint8_t, 16> counter{};
  for (std::size_t i = 0; i < 8; ++i) counter[i] = static_cast<std::uint8_t>(stream >> (8 * i));
  return counter;
}

}  // namespace

#if defined(__EMSCRIPTEN__)
// Of a page, crypto.getRandomValues, which the browser takes from its system.
Seed random_seed() {
  Seed seed;
  static_assert(std::tuple_size_v<Seed> <= 256);  // the most that getentropy gives at once
  if (::getentropy(seed.data(), seed.size()) != 0) {
    fail(
        ErrorCode::internal,
        "the browser gave no randomness ({}): cannot draw a 32-byte seed; crypto.getRandomValues must be allowed",
        std::strerror(errno));
  }
  return seed;
}
#else
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
#endif

struct Prng::State {
  State(const Seed& seed, std::uint64_t stream)
      : key_stream(seed, first_counter(stream)), buffer(kBufferBytes), used(kBufferBytes) {}

  crypto::Aes256Ctr key_stream;
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
    state.key_stream.generate(out.first(direct));
    out = out.subspan(direct);
  }
  if (!out.empty()) {
    state.key_stream.generate(state.buffer);
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

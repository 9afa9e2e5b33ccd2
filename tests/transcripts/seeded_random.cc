#include "tests/transcripts/seeded_random.h"

#if !defined(__EMSCRIPTEN__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>

#include "crypto/sha256.h"

namespace ap::transcripts {
namespace {

thread_local Randomness* playing = nullptr;
std::atomic<std::uint64_t> of_nobody{0};

}  // namespace

void Randomness::draw(std::uint8_t* out, std::size_t bytes) {
  for (std::uint64_t block = 0; bytes > 0; ++block) {
    const std::string text = name_ + ", draw " + std::to_string(draws_) + ", block " + std::to_string(block);
    const auto digest = crypto::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    const std::size_t part = std::min(bytes, digest.size());
    out = std::copy_n(digest.begin(), part, out);
    bytes -= part;
  }
  ++draws_;
}

Playing::Playing(Randomness& randomness) { playing = &randomness; }
Playing::~Playing() { playing = nullptr; }

std::uint64_t draws_of_nobody() { return of_nobody; }

}  // namespace ap::transcripts

// The linker's --wrap brings the project's calls here, and those of no library.
#if defined(__EMSCRIPTEN__)
extern "C" int __real_getentropy(void* out, std::size_t bytes);
extern "C" int __wrap_getentropy(void* out, std::size_t bytes) {
  using ap::transcripts::playing;
  if (playing == nullptr) {
    ++ap::transcripts::of_nobody;
    return __real_getentropy(out, bytes);
  }
  playing->draw(static_cast<std::uint8_t*>(out), bytes);
  return 0;
}
#else
extern "C" ssize_t __wrap_getrandom(void* out, std::size_t bytes, unsigned flags) {
  using ap::transcripts::playing;
  if (playing == nullptr) {
    ++ap::transcripts::of_nobody;
    return ::syscall(SYS_getrandom, out, bytes, flags);
  }
  playing->draw(static_cast<std::uint8_t*>(out), bytes);
  return static_cast<ssize_t>(bytes);
}
#endif

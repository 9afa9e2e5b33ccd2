#include "fuzz/support/randomness.h"

#include <sys/types.h>

#include <cstddef>
#include <cstring>

namespace ap::fuzz {
namespace {

thread_local std::uint64_t state = 0;

std::uint64_t next() {  // splitmix64
  std::uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
  z = (z ^ z >> 27) * 0x94d049bb133111ebU;
  return z ^ z >> 31;
}

}  // namespace

void reset_randomness(std::uint32_t party) { state = std::uint64_t{party} << 32; }

}  // namespace ap::fuzz

// The linker's --wrap=getrandom brings the project's calls here.
extern "C" ssize_t __wrap_getrandom(void* out, std::size_t bytes, unsigned) {
  auto* at = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < bytes; i += 8) {
    const std::uint64_t word = ap::fuzz::next();
    std::memcpy(at + i, &word, bytes - i < 8 ? bytes - i : 8);
  }
  return static_cast<ssize_t>(bytes);
}

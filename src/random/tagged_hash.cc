#include "random/tagged_hash.h"

#include <sodium.h>

#include <array>

#include "base/error.h"

namespace ap {
namespace {

void add(crypto_generichash_state& state, ByteView part) {
  std::array<std::uint8_t, 8> length;
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(part.size()) >> (8 * i));
  }
  crypto_generichash_update(&state, length.data(), length.size());
  crypto_generichash_update(&state, part.data(), part.size());
}

}  // namespace

Seed tagged_hash(std::string_view tag, std::initializer_list<ByteView> parts) {
  static const int status = sodium_init();
  AP_ASSERT(status >= 0);
  Seed digest;
  crypto_generichash_state state;
  AP_ASSERT(crypto_generichash_init(&state, nullptr, 0, digest.size()) == 0);
  add(state, {reinterpret_cast<const std::uint8_t*>(tag.data()), tag.size()});
  for (const ByteView part : parts) add(state, part);
  crypto_generichash_final(&state, digest.data(), digest.size());
  wipe(&state, sizeof state);
  return digest;
}

}  // namespace ap

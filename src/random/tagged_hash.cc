#include "random/tagged_hash.h"

#include <array>

#include "crypto/blake2b.h"

namespace ap {
namespace {

void add(crypto::Blake2b& hash, ByteView part) {
  std::array<std::uint8_t, 8> length;
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(part.size()) >> (8 * i));
  }
  hash.add(length);
  hash.add(part);
}

}  // namespace

Seed tagged_hash(std::string_view tag, std::initializer_list<ByteView> parts) {
  Seed digest;
  crypto::Blake2b hash(digest.size());
  add(hash, {reinterpret_cast<const std::uint8_t*>(tag.data()), tag.size()});
  for (const ByteView part : parts) add(hash, part);
  hash.finish(digest);
  return digest;
}

}  // namespace ap

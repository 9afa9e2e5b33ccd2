#include "random/session_key.h"

#include "random/tagged_hash.h"

namespace ap {

SessionKey::SessionKey(const Nonce& client, const Nonce& server, ByteView package)
    : key_(tagged_hash("AutoPrivacy session key, version 1", {client, server, package})) {}

SessionKey SessionKey::part(std::string_view tag, std::uint64_t number) const {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return SessionKey(
      tagged_hash("AutoPrivacy part of a session key, version 1",
                  {key_, {reinterpret_cast<const std::uint8_t*>(tag.data()), tag.size()}, bytes}));
}

}  // namespace ap

// Whose a stored half is, so that no one client can fill a server's store.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace ap::protocol {

struct StoreOwner {
  enum class Kind : std::uint8_t {
    self = 0,     ///< the store's own user: no share, no shorter age
    client = 1,   ///< one that the server knows by name
    address = 2,  ///< anybody behind a network address
  };
  Kind kind = Kind::self;
  std::array<std::uint8_t, 16> tag{};  ///< a hash of the name or address; 0 of the store's own user

  friend bool operator==(const StoreOwner&, const StoreOwner&) = default;
  friend bool operator<(const StoreOwner& a, const StoreOwner& b) {
    return std::tie(a.kind, a.tag) < std::tie(b.kind, b.tag);
  }
};

/// The first 16 bytes of BLAKE2b of kind and name.
StoreOwner make_owner(StoreOwner::Kind kind, std::string_view name);

}  // namespace ap::protocol

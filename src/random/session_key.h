// A public key that both parties of a session draw together, so that what an attacker computes for one
// session is of no use against another: the keys of the hash of garbling and oblivious transfer (mpc/core/hash.h)
// and the uniform halves of public keys (he/rlwe/keys.h) come from it. It is no secret. In the random-oracle
// model it is uniform if one of the parties' nonces is, and whoever draws the later nonce can choose among as
// many keys as it computes hashes, no more.
#pragma once

#include <array>
#include <string_view>

#include "base/bytes.h"
#include "random/prng.h"

namespace ap {

class SessionKey {
 public:
  using Nonce = std::array<std::uint8_t, 32>;

  /// The key of no session: all zeros. For measurements and tests of single parts.
  SessionKey() = default;
  explicit SessionKey(const Seed& key) : key_(key) {}
  /// @param package  the id of the package that the session is about
  SessionKey(const Nonce& client, const Nonce& server, ByteView package);

  /// An independent key for the use that `tag` and `number` name.
  SessionKey part(std::string_view tag, std::uint64_t number = 0) const;
  const Seed& bytes() const { return key_; }

 private:
  Seed key_{};
};

}  // namespace ap

#include "random/session_key.h"

#include <gtest/gtest.h>

#include <set>

#include "random/tagged_hash.h"

namespace ap {
namespace {

constexpr std::uint8_t kA[] = {'a'}, kB[] = {'b'}, kAb[] = {'a', 'b'};

// hashlib.blake2b(b"\x01" + bytes(7) + b"t" + b"\x02" + bytes(7) + b"ab", digest_size=32)
TEST(TaggedHash, KnownAnswer) {
  Seed expected{0x23, 0x52, 0x28, 0xe4, 0xb8, 0xf8, 0x6a, 0xba, 0x5a, 0xfa, 0x57,
                0x25, 0xb4, 0x25, 0xda, 0xfc, 0x24, 0xef, 0x33, 0xa4, 0x08, 0xc5,
                0x3d, 0x52, 0x74, 0xc7, 0xee, 0x9d, 0x24, 0x8d, 0x86, 0x0e};
  EXPECT_EQ(tagged_hash("t", {kAb}), expected);
}

TEST(TaggedHash, PartsAreDelimited) {
  const std::set<Seed> seen = {tagged_hash("t", {kAb}), tagged_hash("t", {kA, kB}),
                               tagged_hash("ta", {kB}), tagged_hash("t", {kB, kA}),
                               tagged_hash("t", {}),    tagged_hash("t", {ByteView()})};
  EXPECT_EQ(seen.size(), 6u);
}

TEST(SessionKey, DependsOnBothNoncesThePackageAndTheUse) {
  const SessionKey::Nonce zero{}, one{1};
  const Seed package{2}, other{3};
  std::set<Seed> seen = {SessionKey().bytes(), SessionKey(zero, zero, package).bytes(),
                         SessionKey(one, zero, package).bytes(), SessionKey(zero, one, package).bytes(),
                         SessionKey(zero, zero, other).bytes()};
  EXPECT_EQ(seen.size(), 5u);
  const SessionKey key(one, zero, package);
  EXPECT_EQ(key.bytes(), SessionKey(one, zero, package).bytes());
  seen.insert({key.part("x").bytes(), key.part("y").bytes(), key.part("x", 1).bytes(),
               key.part("x").part("x").bytes()});
  EXPECT_EQ(seen.size(), 9u);
}

}  // namespace
}  // namespace ap

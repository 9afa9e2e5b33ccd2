#include "service/store_owner.h"

#include <gtest/gtest.h>

namespace ap::service {
namespace {

using Kind = protocol::StoreOwner::Kind;

protocol::StoreOwner of(const std::string& peer) { return store_owner(anonymous_client(), peer); }

TEST(StoreOwner, AnAddressWithoutItsPort) {
  EXPECT_EQ(of("the client at 192.0.2.7:4000").kind, Kind::address);
  EXPECT_EQ(of("the client at 192.0.2.7:4000"), of("the client at 192.0.2.7:51234"));
  EXPECT_NE(of("the client at 192.0.2.7:4000"), of("the client at 192.0.2.8:4000"));
  EXPECT_EQ(of("the client at 192.0.2.7:4000"), of("the client at [::ffff:192.0.2.7]:4000"));
  EXPECT_EQ(of("the client at an unknown address"), of("the peer"));
}

TEST(StoreOwner, TheFirstHalfOfAnIpv6Address) {
  EXPECT_EQ(of("the client at [2001:db8:1:2::1]:4000"), of("the client at [2001:db8:1:2:ffff::7]:99"));
  EXPECT_NE(of("the client at [2001:db8:1:2::1]:4000"), of("the client at [2001:db8:1:3::1]:4000"));
  EXPECT_EQ(of("the client at [fe80::1%eth0]:4000"), of("the client at [fe80::2%eth1]:4000"));
}

TEST(StoreOwner, AKnownClientWhereverItIs) {
  Client alice;
  alice.name = "alice";
  Client bob;
  bob.name = "192.0.2.7";
  EXPECT_EQ(store_owner(alice, "the client at 192.0.2.7:1"), store_owner(alice, "the client at 192.0.2.9:1"));
  EXPECT_EQ(store_owner(alice, "x").kind, Kind::client);
  EXPECT_NE(store_owner(alice, "x"), store_owner(bob, "x"));
  EXPECT_NE(store_owner(bob, "x"), of("the client at 192.0.2.7:1"));
}

}  // namespace
}  // namespace ap::service

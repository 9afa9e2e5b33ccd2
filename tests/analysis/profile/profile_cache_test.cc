#include "analysis/profile/profile_cache.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

#include "analysis/profile/measure.h"
#include "base/error.h"

namespace ap::cost {
namespace {

/// A directory of its own that goes away.
class Cache : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("autoprivacy-profile-{}", ::getpid());
    std::filesystem::remove_all(directory_);
    path_ = directory_ / "autoprivacy" / "profile.json";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& text) {
    std::filesystem::create_directories(path_.parent_path());
    std::ofstream(path_) << text;
  }
  static Profile of_this_machine() {
    Profile p = typical_profile();
    p.machine = machine_name();
    p.loop = 1.0 / 3;
    return p;
  }
  std::filesystem::path directory_, path_;
};

TEST_F(Cache, RoundTrip) {
  const Profile p = of_this_machine();
  EXPECT_FALSE(load_profile(path_));
  ASSERT_TRUE(save_profile(p, path_));
  ASSERT_TRUE(load_profile(path_));
  EXPECT_EQ(*load_profile(path_), p);
}

TEST_F(Cache, MeasuresOnceOnly) {
  int measured = 0;
  const auto measure = [&] {
    ++measured;
    return of_this_machine();
  };
  EXPECT_EQ(machine_profile(path_, measure), of_this_machine());
  EXPECT_EQ(machine_profile(path_, measure), of_this_machine());
  EXPECT_EQ(measured, 1);
}

TEST_F(Cache, DamageAndOtherMachinesAreRefusedAndRebuilt) {
  const std::string good = to_json(of_this_machine());
  std::string negative = good, other = good, old = good;
  negative.replace(negative.find("\"loop\": "), 8, "\"loop\": -");
  other.replace(other.find(machine_name()), 4, "none");
  old.replace(old.find("\"version\": 4"), 12, "\"version\": 0");
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"),
                                  good.substr(0, good.size() / 2), negative, other, old}) {
    write(text);
    EXPECT_FALSE(load_profile(path_)) << text.substr(0, 40);
    EXPECT_EQ(cached_profile(path_).machine, "typical");
    EXPECT_EQ(machine_profile(path_, of_this_machine), of_this_machine());
    EXPECT_TRUE(load_profile(path_));
  }
  EXPECT_THROW(parse_profile("{}"), Error);
  EXPECT_THROW(parse_profile(negative), Error);
}

TEST_F(Cache, NoPlaceForItIsNoError) {
  write("");
  const std::filesystem::path below_a_file = path_ / "profile.json";
  EXPECT_EQ(machine_profile(below_a_file, of_this_machine), of_this_machine());
  EXPECT_EQ(machine_profile({}, of_this_machine), of_this_machine());
}

TEST(Measure, FiguresArePlausible) {
  const RingCosts ring = measure_ring(1024, 1, 30);
  for (const double seconds : {ring.key_client, ring.upload_client, ring.upload_server, ring.product,
                               ring.reply_server + ring.reply_server_output}) {
    EXPECT_GT(seconds, 0);
    EXPECT_LT(seconds, 1);
  }
  EXPECT_LT(ring.product, ring.upload_client);
  Profile p = typical_profile();
  p.network = measure_network();
  EXPECT_GT(p.network.byte_up, 0);
  EXPECT_GT(p.network.round_trip, 0);
  measure_garbling(p);
  EXPECT_GT(p.garbling.columns_bit_client, 0);
  EXPECT_GT(p.base_sender, 0);
  EXPECT_NO_THROW(parse_profile(to_json(p)));
}

}  // namespace
}  // namespace ap::cost

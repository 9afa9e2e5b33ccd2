// How much of a store one client may have, what counts, and how old it may grow.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <thread>

#include "base/error.h"
#include "protocol/store/preprocessing_file.h"
#include "protocol/store/preprocessing_store.h"
#include "tests/base/temporary_directory.h"

namespace ap::protocol {
namespace {

using Saved = PreprocessingStore::Saved;

constexpr std::uint64_t kDay = 86'400;

PreprocessingId id_of(std::uint8_t number) { return {number, 0xfe, 1}; }

StoreOwner client(const char* name) { return make_owner(StoreOwner::Kind::client, name); }
StoreOwner address(const char* name) { return make_owner(StoreOwner::Kind::address, name); }

class StoreQuota : public testing::Test {
 protected:
  std::unique_ptr<PreprocessingStore> open(std::size_t most = 64, std::size_t of_one = 0) {
    StoreOptions options;
    options.max_inferences = most;
    options.max_owner_inferences = of_one;
    options.max_bytes = 64'000;
    options.clock = [this] { return now_; };
    options.notice = [this](const std::string& s) { notices_.push_back(s); };
    return std::make_unique<PreprocessingStore>(path(), Party::server, package_, options);
  }
  std::filesystem::path path() const { return base_.path() / "store"; }
  std::filesystem::path file(std::uint8_t number) const {
    return path() / (to_hex(id_of(number)) + ".material");
  }
  /// A file that no store has written.
  void write(const std::filesystem::path& name, std::size_t bytes) {
    std::ofstream(name, std::ios::binary) << std::string(bytes, 'x');
    ::chmod(name.c_str(), 0600);
  }
  void age(std::uint8_t number, std::uint64_t seconds) {
    const timespec times[2] = {{static_cast<time_t>(now_ - seconds), 0},
                               {static_cast<time_t>(now_ - seconds), 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file(number).c_str(), times, 0), 0);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      count += entry.path().filename() != "lock";
    return count;
  }

  TemporaryDirectory base_;
  package::PackageId package_{1, 2, 3};
  std::uint64_t now_ = static_cast<std::uint64_t>(::time(nullptr));
  std::vector<std::string> notices_;
};

TEST_F(StoreQuota, OneOwnerHasAQuarterUnlessToldOtherwise) {
  const auto store = open(8);
  const Bytes payload(100);
  EXPECT_EQ(store->save(id_of(1), payload, address("a")), Saved::done);
  EXPECT_EQ(store->save(id_of(2), payload, address("a")), Saved::done);
  EXPECT_EQ(store->room(100, address("a")), Room::owner_full);
  EXPECT_EQ(store->save(id_of(3), payload, address("a")), Saved::owner_full);
  EXPECT_EQ(store->save(id_of(3), payload, client("a")), Saved::done) << "a name is no address";
  EXPECT_EQ(store->save(id_of(4), payload, address("b")), Saved::done);
  EXPECT_TRUE(store->claim(id_of(1)).has_value());
  EXPECT_EQ(store->save(id_of(1), payload, address("a")), Saved::done);
  // Who opens the directory next knows whose they are.
  EXPECT_EQ(open(8)->room(100, address("a")), Room::owner_full);
  EXPECT_EQ(open(8, 3)->room(100, address("a")), Room::yes);
  EXPECT_EQ(open(1)->room(100, address("c")), Room::full);
}

TEST_F(StoreQuota, OneOwnerHasThePartOfTheBytes) {
  const auto store = open(8);  // 64,000 bytes: 16,000 of one
  EXPECT_EQ(store->save(id_of(1), Bytes(10'000), address("a")), Saved::done);
  EXPECT_EQ(store->save(id_of(2), Bytes(10'000), address("a")), Saved::owner_full);
  EXPECT_EQ(store->save(id_of(2), Bytes(5'000), address("a")), Saved::done);
  EXPECT_EQ(store->save(id_of(3), Bytes(30'000), address("b")), Saved::done) << "one may be larger";
  EXPECT_EQ(store->save(id_of(4), Bytes(30'000), address("c")), Saved::full);
  EXPECT_EQ(store->save(id_of(4), Bytes(15'000)), Saved::done) << "its own user has no share";
}

TEST_F(StoreQuota, TheWholeStoreIsFullForEveryone) {
  const auto store = open(4, 4);
  for (std::uint8_t i = 0; i < 4; ++i) ASSERT_EQ(store->save(id_of(i), Bytes(9), client("a")), Saved::done);
  EXPECT_EQ(store->save(id_of(9), Bytes(9), client("b")), Saved::full);
  EXPECT_EQ(store->save(id_of(9), Bytes(9), client("a")), Saved::owner_full);
  EXPECT_EQ(files(), 4u);
}

TEST_F(StoreQuota, DamagedHalvesCount) {
  auto store = open(4, 4);
  for (std::uint8_t i = 0; i < 3; ++i) ASSERT_EQ(store->save(id_of(i), Bytes(9)), Saved::done);
  write(file(0), 40);
  write(file(1), 5'000);
  write(path() / "notes.txt", 5'000);
  EXPECT_THROW(store->claim(id_of(0)), Error);
  EXPECT_THROW(store->claim(id_of(1)), Error);
  EXPECT_EQ(store->ids().size(), 1u) << "what could not be claimed is looked at again";
  store = open(4, 4);
  EXPECT_EQ(store->room(9), Room::yes);
  EXPECT_EQ(store->ids(), std::vector{id_of(2)});
  EXPECT_EQ(store->save(id_of(3), Bytes(9)), Saved::done);
  EXPECT_EQ(store->save(id_of(4), Bytes(9)), Saved::full) << "four files";
  write(file(1), 63'000);
  EXPECT_EQ(open(5, 5)->room(900), Room::full) << "bytes";
}

TEST_F(StoreQuota, DamagedHalvesGrowOldByTheirFile) {
  auto store = open();
  ASSERT_EQ(store->save(id_of(1), Bytes(9)), Saved::done);
  ASSERT_EQ(store->save(id_of(2), Bytes(9)), Saved::done);
  write(file(2), 1'000);
  age(2, 29 * kDay);
  EXPECT_EQ(open()->room(9), Room::yes);
  EXPECT_EQ(files(), 2u);
  age(2, 31 * kDay);
  open();
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(std::filesystem::exists(file(1)));
}

TEST_F(StoreQuota, WipedHalvesGoWhenTheStoreIsOpened) {
  ASSERT_EQ(open()->save(id_of(1), Bytes(900)), Saved::done);
  {
    std::fstream half(file(1), std::ios::binary | std::ios::in | std::ios::out);
    half.write(std::string(kPreprocessingHeaderBytes, '\0').c_str(), kPreprocessingHeaderBytes);
  }
  EXPECT_TRUE(open()->ids().empty());
  EXPECT_EQ(files(), 0u);
}

TEST_F(StoreQuota, WithoutANameTheyAreKeptForAWeek) {
  ASSERT_EQ(open()->save(id_of(1), Bytes(9), address("a")), Saved::done);
  ASSERT_EQ(open()->save(id_of(2), Bytes(9), client("a")), Saved::done);
  now_ += 6 * kDay;
  EXPECT_EQ(open()->ids().size(), 2u);
  now_ += 2 * kDay;
  EXPECT_EQ(open()->ids(), std::vector{id_of(2)});
  now_ += 23 * kDay;
  EXPECT_TRUE(open()->ids().empty());
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(notices_.size(), 2u);
}

TEST_F(StoreQuota, AnOldHalfIsNotGivenOutBetweenSweeps) {
  const auto store = open();
  ASSERT_EQ(store->save(id_of(1), Bytes(9), address("a")), Saved::done);
  now_ += 7 * kDay - 30;
  EXPECT_EQ(store->ids().size(), 1u);  // swept
  now_ += 40;                          // less than a minute later
  EXPECT_FALSE(store->claim(id_of(1)).has_value());
  EXPECT_EQ(files(), 0u);
}

TEST_F(StoreQuota, SeveralProgramsShareOneDirectory) {
  const auto one = open(8), other = open(8);
  const Bytes payload(100);
  ASSERT_EQ(one->save(id_of(1), payload, address("a")), Saved::done);
  ASSERT_EQ(other->save(id_of(2), payload, address("a")), Saved::done);
  EXPECT_EQ(one->save(id_of(3), payload, address("a")), Saved::owner_full);
  EXPECT_TRUE(other->claim(id_of(1)).has_value());
  EXPECT_EQ(one->save(id_of(3), payload, address("a")), Saved::done);
  EXPECT_EQ(other->ids().size(), 2u);
  // Somebody tidies up by hand.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::filesystem::remove(file(2));
  EXPECT_EQ(one->room(100, address("a")), Room::yes);
  EXPECT_EQ(other->ids(), std::vector{id_of(3)});
}

}  // namespace
}  // namespace ap::protocol

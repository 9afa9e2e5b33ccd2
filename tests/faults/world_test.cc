// The simulated world itself: that it loses and keeps what it should, and that nothing waits for real.
#include "tests/faults/world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tests/faults/disk.h"
#include "tests/faults/network.h"

namespace ap::faults {
namespace {

constexpr std::uint64_t kWorlds = 200;

struct Computer {
  explicit Computer(std::uint64_t seed) : world(seed), machine(world, "machine") {
    process.machine = &machine;
  }
  World world;
  Machine machine;
  Process process;
};

void write(Directory& directory, const std::string& name, const Bytes& bytes, bool sync) {
  int error = 0;
  const auto file = directory.open(name, Directory::Open::create, error);
  ASSERT_TRUE(file);
  ASSERT_EQ(write_all(*file, bytes, 0), 0);
  if (sync) {
    ASSERT_EQ(file->sync(), 0);
  }
}
/// Of a file's content; nothing if there is none.
Bytes content(Directory& directory, const std::string& name) {
  int error = 0;
  const auto file = directory.open(name, Directory::Open::read, error);
  if (!file) return {};
  Bytes bytes(1000);
  std::size_t got = 0;
  EXPECT_EQ(read_all(*file, bytes, 0, got), 0);
  bytes.resize(got);
  return bytes;
}

TEST(SimulatedDisk, KeepsWhatWasSyncedAndNotAlwaysTheRest) {
  const Bytes whole(300, 7);
  std::size_t there = 0, torn = 0, renamed = 0;
  for (std::uint64_t seed = 0; seed < kWorlds; ++seed) {
    Computer c(seed);
    const auto directory = c.machine.disk.open("d", c.process);
    write(*directory, "synced", whole, true);
    write(*directory, "old", whole, true);
    ASSERT_EQ(directory->sync(), 0);
    write(*directory, "unsynced", whole, false);
    ASSERT_EQ(directory->rename("old", "new"), 0);
    EXPECT_EQ(content(*directory, "unsynced"), whole);
    c.machine.disk.cut_power();
    EXPECT_EQ(content(*directory, "synced"), whole);
    const Bytes found = content(*directory, "unsynced");
    there += found == whole ? 1 : 0;
    torn += !found.empty() && found != whole ? 1 : 0;
    const bool is_new = content(*directory, "new") == whole;
    EXPECT_NE(is_new, content(*directory, "old") == whole) << "a name or the other";
    renamed += is_new ? 1 : 0;
  }
  EXPECT_GT(torn, kWorlds / 10);
  EXPECT_LT(there, kWorlds / 2);
  EXPECT_GT(renamed, kWorlds / 10);
  EXPECT_LT(renamed, kWorlds * 9 / 10);
}

TEST(SimulatedDisk, AFailedSyncMayLose) {
  std::size_t lost = 0;
  for (std::uint64_t seed = 0; seed < kWorlds; ++seed) {
    Computer c(seed);
    const auto directory = c.machine.disk.open("d", c.process);
    c.world.start(c.process, [&] {
      int error = 0;
      const auto file = directory->open("file", Directory::Open::create, error);
      EXPECT_EQ(directory->sync(), 0);
      EXPECT_EQ(write_all(*file, Bytes(300, 7), 0), 0);
      c.machine.disk.faults.sync = 1;
      EXPECT_EQ(file->sync(), EIO);
      c.machine.disk.faults.sync = 0;
    });
    c.world.run();
    EXPECT_EQ(c.machine.disk.failures, 1u);
    EXPECT_EQ(content(*directory, "file"), Bytes(300, 7)) << "until the power goes";
    c.machine.disk.cut_power();
    lost += content(*directory, "file") != Bytes(300, 7) ? 1 : 0;
  }
  EXPECT_GT(lost, kWorlds / 2);
}

TEST(SimulatedDisk, ALockEndsWithItsProgram) {
  Computer c(1);
  Process other;
  other.machine = &c.machine;
  std::vector<int> order;
  c.process.dies_at = 8;
  c.world.start(c.process, [&] {
    int error = 0;
    const auto directory = c.machine.disk.open("d", c.process);
    const auto lock = directory->open("lock", Directory::Open::lock, error);
    order.push_back(1);
    while (directory->sync() == 0) continue;
    order.push_back(2);
    c.world.wait([] { return World::kNever; });
  });
  c.world.run();
  c.world.start(other, [&] {
    int error = 0;
    EXPECT_TRUE(c.machine.disk.open("d", other)->open("lock", Directory::Open::lock, error));
    order.push_back(3);
  });
  c.world.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(World, WaitsOnItsOwnClock) {
  World world(1);
  Process one, other;
  const auto begin = std::chrono::steady_clock::now();
  auto ends = connect(world, one, other, LinkFault{LinkFault::Kind::silence, 1}, [](auto...) {});
  std::string sentence;
  world.start(one, [&] {
    ends.first->send(1, Bytes(3));
    ends.first->send(2, Bytes(3));
  });
  world.start(other, [&] {
    EXPECT_EQ(ends.second->receive_exactly(1, 3), Bytes(3));
    try {
      ends.second->receive_exactly(2, 3);
    } catch (const Error& error) {
      sentence = error.what();
    }
  });
  world.run();
  EXPECT_NE(sentence.find("sent nothing for 60 s"), std::string::npos) << sentence;
  EXPECT_GE(world.now_ms, 60'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(World, SaysWhenAllWaitForEver) {
  World world(1);
  Process one, other;
  for (Process* process : {&one, &other})
    world.start(*process, [&] { world.wait([] { return World::kNever; }); });
  EXPECT_THROW(world.run(), std::runtime_error);
}

TEST(World, SaysWhenATaskGetsNowhere) {
  World world(1);
  Process one;
  world.start(one, [&] {
    while (world.step(one)) continue;
  });
  EXPECT_THROW(world.run(), std::runtime_error);
}

TEST(World, ADeadPeerIsNoticedAtOnceAndAMachineWithoutPowerByTheDeadline) {
  for (const bool power : {false, true}) {
    World world(2);
    Process client, server;
    auto ends = connect(world, client, server, {}, [](auto...) {});
    server.dies_at = 1;
    server.by_power_cut = power;
    std::string sentence;
    world.start(server, [&] { EXPECT_THROW(ends.second->receive_exactly(1, 3), Stopped); });
    world.start(client, [&] {
      try {
        ends.first->receive_exactly(2, 3);
      } catch (const Error& error) {
        sentence = error.what();
      }
    });
    world.run();
    EXPECT_NE(sentence.find(power ? "sent nothing" : "broke off"), std::string::npos) << sentence;
  }
}

}  // namespace
}  // namespace ap::faults

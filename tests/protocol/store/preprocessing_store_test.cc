// A store of halves: kept exactly, given out once, whatever is killed in between.
#include "protocol/store/preprocessing_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "protocol/store/preprocessing_file.h"
#include "tests/base/temporary_directory.h"

namespace ap::protocol {
namespace {

using Saved = PreprocessingStore::Saved;

constexpr std::uint64_t kMost = 1 << 24;

PreprocessingId id_of(std::uint8_t number) { return {number, 0xfe, 1}; }
Bytes payload_of(std::uint8_t number, std::size_t size = 5000) { return Bytes(size, number); }

class PreprocessingStoreTest : public testing::Test {
 protected:
  std::filesystem::path path() const { return base_.path() / "a" / "store"; }
  std::filesystem::path file(std::uint8_t number) const {
    return path() / (to_hex(id_of(number)) + ".material");
  }
  PreprocessingStore open(StoreOptions options = {}) {
    if (!options.notice) options.notice = [this](const std::string& s) { notices_.push_back(s); };
    return {path(), Party::client, package_, options};
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      count += entry.path().filename() != "lock";
    return count;
  }
  /// A process that runs `work` and is killed where the store reaches `point`.
  void expect_killed(const std::string& point, const std::function<void(PreprocessingStore&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      StoreOptions options;
      options.reached = [&](const char* here) {
        if (here == point) ::kill(::getpid(), SIGKILL);
      };
      PreprocessingStore store(path(), Party::client, package_, options);
      work(store);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
  }
  static void expect_refused(PreprocessingStore& store, std::uint8_t number, const std::string& word) {
    try {
      store.claim(id_of(number));
      ADD_FAILURE() << "expected a refusal with " << word;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }

  TemporaryDirectory base_;
  package::PackageId package_{1, 2, 3};
  std::vector<std::string> notices_;
};

TEST_F(PreprocessingStoreTest, GivesOutOnce) {
  PreprocessingStore store = open();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5000}, (std::size_t{1} << 20) + 7}) {
    const Bytes payload = payload_of(9, size);
    ASSERT_EQ(store.save(id_of(1), payload), Saved::done);
    EXPECT_EQ(store.save(id_of(1), payload), Saved::known) << "one half for an id";
    EXPECT_EQ(store.ids(), std::vector{id_of(1)});
    EXPECT_EQ(std::filesystem::file_size(file(1)), size + kPreprocessingHeaderBytes);
    const auto got = store.claim(id_of(1));
    ASSERT_TRUE(got.has_value());
    EXPECT_TRUE(std::equal(got->begin(), got->end(), payload.begin(), payload.end()));
    EXPECT_FALSE(store.claim(id_of(1)).has_value());
    EXPECT_TRUE(store.ids().empty());
    EXPECT_EQ(files(), 0u);
  }
  EXPECT_TRUE(notices_.empty());
}

TEST_F(PreprocessingStoreTest, OnlyTheOwnerMayRead) {
  PreprocessingStore store = open();
  ASSERT_EQ(store.save(id_of(1), payload_of(1)), Saved::done);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat(file(1).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ::chmod(file(1).c_str(), 0640);
  expect_refused(store, 1, "others may know");
  ::chmod(file(1).c_str(), 0600);
  EXPECT_TRUE(store.claim(id_of(1)).has_value());
  ::chmod(path().c_str(), 0750);
  try {
    open();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::security);
    EXPECT_NE(std::string(error.what()).find("chmod 700"), std::string::npos);
  }
}

TEST_F(PreprocessingStoreTest, TheContentIsNotInTheFile) {
  PreprocessingStore store = open();
  const std::string text = "a secret that nobody should find in the file as it is";
  Bytes payload(text.begin(), text.end());
  ASSERT_EQ(store.save(id_of(1), payload), Saved::done);
  const Bytes raw = read_file(file(1), kMost);
  EXPECT_EQ(std::search(raw.begin(), raw.end(), text.begin(), text.begin() + 8), raw.end());
}

TEST_F(PreprocessingStoreTest, KilledWhileStoring) {
  std::uint8_t number = 1;
  for (const std::string point : {"written", "renamed", "stored"}) {
    ++number;
    expect_killed(point, [&](PreprocessingStore& s) { s.save(id_of(number), payload_of(number)); });
    const auto got = open().claim(id_of(number));
    EXPECT_EQ(got.has_value(), point != "written") << point;
    if (got) {
      EXPECT_TRUE(std::ranges::all_of(*got, [&](std::uint8_t v) { return v == number; }));
    }
    EXPECT_FALSE(open().claim(id_of(number)).has_value());
    EXPECT_EQ(files(), 0u) << point;
  }
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("crash"), std::string::npos) << notices_[0];
}

TEST_F(PreprocessingStoreTest, KilledWhileClaiming) {
  for (const std::string point : {"claimed", "read", "wiped", "removed"}) {
    ASSERT_EQ(open().save(id_of(7), payload_of(7)), Saved::done);
    expect_killed(point, [&](PreprocessingStore& s) { s.claim(id_of(7)); });
    PreprocessingStore store = open();
    EXPECT_FALSE(store.claim(id_of(7)).has_value()) << point;
    EXPECT_TRUE(store.ids().empty());
    EXPECT_EQ(files(), 0u) << point;
  }
}

TEST_F(PreprocessingStoreTest, OneClaimerWins) {
  for (int round = 0; round < 8; ++round) {
    ASSERT_EQ(open().save(id_of(3), payload_of(3)), Saved::done);
    std::atomic<int> wins{0}, ready{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        PreprocessingStore store(path(), Party::client, package_);
        ++ready;
        while (ready < 4) std::this_thread::yield();
        wins += store.claim(id_of(3)).has_value() ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wins, 1);
  }
}

TEST_F(PreprocessingStoreTest, OneProcessWins) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(open().save(id_of(3), payload_of(3)), Saved::done);
    pid_t children[3];
    for (pid_t& child : children) {
      child = ::fork();
      if (child == 0) {
        PreprocessingStore store(path(), Party::client, package_);
        ::_exit(store.claim(id_of(3)).has_value() ? 1 : 0);
      }
    }
    int wins = 0;
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFEXITED(status));
      wins += WEXITSTATUS(status);
    }
    EXPECT_EQ(wins, 1);
  }
}

TEST_F(PreprocessingStoreTest, LimitsInferencesAndBytes) {
  StoreOptions options;
  options.max_inferences = 2;
  options.max_bytes = 12'000;
  PreprocessingStore store = open(options);
  EXPECT_EQ(store.save(id_of(1), payload_of(1)), Saved::done);
  EXPECT_EQ(store.save(id_of(2), payload_of(2, 7000)), Saved::full) << "bytes";
  EXPECT_EQ(store.room(7000), Room::full);
  EXPECT_EQ(store.save(id_of(2), payload_of(2, 1000)), Saved::done);
  EXPECT_EQ(store.save(id_of(3), payload_of(3, 10)), Saved::full) << "inferences";
  EXPECT_TRUE(store.claim(id_of(1)).has_value());
  EXPECT_EQ(store.room(10), Room::yes);
}

TEST_F(PreprocessingStoreTest, OldOnesAreRemoved) {
  StoreOptions options;
  options.max_days = 1e-9;
  ASSERT_EQ(open().save(id_of(1), payload_of(1)), Saved::done);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_FALSE(open(options).claim(id_of(1)).has_value());
  EXPECT_EQ(files(), 0u);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("too old"), std::string::npos) << notices_[0];
}

TEST_F(PreprocessingStoreTest, DamagedFilesAreRefused) {
  PreprocessingStore store = open();
  const auto rewrite = [&](const std::function<void(Bytes&)>& change) {
    std::filesystem::remove(file(1));
    ASSERT_EQ(store.save(id_of(1), payload_of(1)), Saved::done);
    Bytes raw = read_file(file(1), kMost);
    change(raw);
    std::ofstream(file(1), std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(raw.data()), static_cast<std::streamsize>(raw.size()));
  };
  rewrite([](Bytes& b) { b.resize(b.size() - 1); });
  expect_refused(store, 1, "damaged");
  rewrite([](Bytes& b) { b.resize(30); });
  expect_refused(store, 1, "too short");
  rewrite([](Bytes& b) { b.clear(); });
  expect_refused(store, 1, "too short");
  rewrite([](Bytes& b) { b[0] ^= 1; });
  expect_refused(store, 1, "no stored inference");
  rewrite([](Bytes& b) { b[8] ^= 4; });
  expect_refused(store, 1, "version");
  rewrite([](Bytes& b) { b[44] ^= 1; });
  expect_refused(store, 1, "renamed");
  rewrite([](Bytes& b) { b[75] ^= 0x80; });  // payload bytes: 2^63 more
  expect_refused(store, 1, "damaged");
  // What only the hash finds has been claimed by then, so it is gone.
  for (const std::size_t at : {std::size_t{11}, std::size_t{60}, std::size_t{80}, std::size_t{120},
                               std::size_t{141}, std::size_t{5155}}) {
    rewrite([&](Bytes& b) { b[at] ^= 1; });
    expect_refused(store, 1, "hash");
    EXPECT_EQ(files(), 0u);
  }
}

TEST_F(PreprocessingStoreTest, ForeignFilesAreRefusedAndLeftAlone) {
  ASSERT_EQ(open().save(id_of(1), payload_of(1)), Saved::done);
  package_[0] = 77;
  PreprocessingStore other = open();
  expect_refused(other, 1, "was prepared with package 0102");
  EXPECT_TRUE(other.ids().empty());
  package_[0] = 1;
  PreprocessingStore server(path(), Party::server, package_);
  expect_refused(server, 1, "other party");
  EXPECT_TRUE(server.ids().empty());
  EXPECT_TRUE(open().claim(id_of(1)).has_value()) << "still whole";
}

TEST_F(PreprocessingStoreTest, LinksAreNotFollowed) {
  PreprocessingStore store = open();
  ASSERT_EQ(store.save(id_of(1), payload_of(1)), Saved::done);
  std::filesystem::rename(file(1), base_.path() / "elsewhere");
  std::filesystem::create_symlink(base_.path() / "elsewhere", file(1));
  expect_refused(store, 1, "cannot open");
}

}  // namespace
}  // namespace ap::protocol

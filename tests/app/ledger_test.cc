#include "app/ledger.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

using protocol::PrepareAnswer;

Client named(const std::string& name, const std::string& group = kDefaultGroup, std::uint64_t limit = 0) {
  Client client;
  client.name = name;
  client.group = group;
  client.limit = limit;
  return client;
}

Allowance allowing(std::uint64_t promised, std::uint64_t most = 0, std::uint8_t package = 1) {
  Allowance allowance;
  allowance.package.fill(package);
  allowance.promised = promised;
  allowance.most = most;
  return allowance;
}

/// Prepares until it is refused, at most `most`; returns how many were granted.
std::uint64_t drain(Ledger& ledger, const Client& client, std::uint64_t most = 10'000) {
  for (std::uint64_t granted = 0; granted < most; ++granted) {
    if (ledger.count(client).answer != PrepareAnswer::granted) return granted;
  }
  return most;
}

class LedgerTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "ledger"; }
  std::string error_of_opening() const {
    try {
      Ledger ledger(file(), allowing(10));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  /// Another program, with the file open.
  struct Other {
    explicit Other(const std::filesystem::path& path) {
      EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    }
    ~Other() { sqlite3_close(database); }
    void execute(const char* sql) const {
      char* message = nullptr;
      EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
      sqlite3_free(message);
    }
    sqlite3* database = nullptr;
  };
  TemporaryDirectory directory_;
};

TEST_F(LedgerTest, GrantsExactlyWhatIsPromised) {
  for (const std::uint64_t promised : {1u, 2u, 15u, 64u, 1500u}) {
    Ledger ledger({}, allowing(promised));
    EXPECT_EQ(drain(ledger, anonymous_client()), promised);
    const protocol::Permission refused = ledger.count(anonymous_client());
    EXPECT_EQ(refused.answer, PrepareAnswer::used_up);
    EXPECT_EQ(refused.limit, promised);
    EXPECT_EQ(ledger.standing("").remaining(), 0u);
  }
}

TEST_F(LedgerTest, OutlivesTheServer) {
  for (int run = 0; run < 5; ++run) {
    Ledger ledger(file(), allowing(2000));
    EXPECT_EQ(ledger.is_new(), run == 0);
    EXPECT_EQ(ledger.standing("").prepared, 300u * static_cast<unsigned>(run))
        << "what was not used is given back";
    EXPECT_EQ(drain(ledger, anonymous_client(), 300), 300u);
  }
  Ledger ledger(file(), allowing(2000));
  EXPECT_EQ(drain(ledger, anonymous_client()), 500u);
  struct stat info {};
  for (const char* ending : {"", "-journal"}) {
    ASSERT_EQ(::stat((file().string() + ending).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
}

TEST_F(LedgerTest, GroupsHaveBudgetsOfTheirOwnAndMembersShareThem) {
  Ledger ledger(file(), allowing(100));
  EXPECT_EQ(drain(ledger, named("a1", "a"), 30), 30u);
  EXPECT_EQ(drain(ledger, named("b1", "b")), 100u);
  EXPECT_EQ(ledger.count(named("b2", "b")).answer, PrepareAnswer::used_up) << "b2 may know what b1 saw";
  const std::uint64_t rest = drain(ledger, named("a2", "a"));
  EXPECT_LE(rest, 70u);
  EXPECT_GE(rest, 69u) << "at most what a1 has written down ahead is missing";
}

TEST_F(LedgerTest, AClientBringsWhatItSawIntoItsNextGroup) {
  {
    Ledger ledger(file(), allowing(100));
    EXPECT_EQ(drain(ledger, named("anna", "a"), 40), 40u);
  }
  {
    Ledger ledger(file(), allowing(100));
    ledger.remember({named("anna", "b"), named("bob", "b")});
    EXPECT_EQ(ledger.standing("b").prepared, 40u);
    EXPECT_EQ(drain(ledger, named("bob", "b")), 60u);
    EXPECT_EQ(ledger.standing("a").prepared, 100u) << "anna was in both, so they are one";
  }
  // A client that is no longer in the file still counts for its group.
  Ledger ledger(file(), allowing(100));
  EXPECT_EQ(ledger.count(named("carl", "b")).answer, PrepareAnswer::used_up);
}

TEST_F(LedgerTest, AGroupDoesNotGetMoreByAClientThatMoves) {
  Ledger ledger(file(), allowing(100));
  ledger.remember({named("anna", "a"), named("carl", "a")});
  EXPECT_EQ(drain(ledger, named("anna", "a")), 100u);
  EXPECT_EQ(ledger.count(named("carl", "b")).answer, PrepareAnswer::used_up) << "carl may know what anna saw";
  EXPECT_EQ(ledger.count(named("bob", "b")).answer, PrepareAnswer::used_up) << "and may have told bob";
  EXPECT_EQ(drain(ledger, named("dora", "d"), 10), 10u) << "dora never had a group in common with them";
}

TEST_F(LedgerTest, ClientsWithoutANameCountForEveryGroup) {
  {
    Ledger ledger(file(), allowing(100));
    EXPECT_EQ(drain(ledger, anonymous_client(), 30), 30u);
    EXPECT_EQ(drain(ledger, named("anna", "a"), 20), 20u);
  }
  Ledger ledger(file(), allowing(100));
  EXPECT_EQ(ledger.standing("a").prepared, 50u);
  EXPECT_EQ(ledger.standing("b").prepared, 30u);
  EXPECT_EQ(ledger.standing("").prepared, 50u) << "and without names, everybody counts";
}

TEST_F(LedgerTest, AClientsOwnLimit) {
  Ledger ledger(file(), allowing(100'000));
  EXPECT_EQ(drain(ledger, named("anna", "a", 5)), 5u);
  const protocol::Permission refused = ledger.count(named("anna", "a", 5));
  EXPECT_EQ(refused.answer, PrepareAnswer::client_limit);
  EXPECT_EQ(refused.limit, 5u);
  EXPECT_EQ(drain(ledger, named("bob", "a"), 50), 50u);
}

TEST_F(LedgerTest, ARecompiledNetworkDoesNotBeginAgain) {
  {
    Ledger ledger(file(), allowing(1000, 0, 1));
    EXPECT_EQ(drain(ledger, anonymous_client(), 500), 500u);
  }
  {  // half of the promise is used, whatever it is counted in
    Ledger ledger(file(), allowing(10, 0, 2));
    EXPECT_EQ(ledger.standing("").prepared, 5u);
    EXPECT_EQ(drain(ledger, anonymous_client(), 2), 2u);
  }
  {  // 500/1000 + 2/10
    Ledger ledger(file(), allowing(1'000'000, 0, 3));
    EXPECT_EQ(ledger.standing("").remaining(), 300'000u);
  }
  Ledger ledger(file(), allowing(3, 0, 4));
  EXPECT_EQ(ledger.standing("").remaining(), 0u) << "each is rounded up: 2 + 1";
}

TEST_F(LedgerTest, TheOperatorsLimitCountsAllPackages) {
  {
    Ledger ledger(file(), allowing(0, 50, 1));
    EXPECT_EQ(drain(ledger, anonymous_client(), 30), 30u);
  }
  {
    Ledger ledger(file(), allowing(1000, 50, 2));
    EXPECT_EQ(ledger.standing("").limit, 50u);
    EXPECT_EQ(drain(ledger, anonymous_client()), 20u);
  }
  Ledger above(file(), allowing(1000, 5000, 2));
  EXPECT_EQ(above.standing("").limit, 1000u) << "it never raises what the package promises";
  EXPECT_EQ(above.standing("").prepared, 20u) << "and those that promised nothing used up nothing";
}

TEST_F(LedgerTest, LargePromisesDoNotOverflow) {
  {
    Ledger ledger(file(), allowing(~std::uint64_t{0}, 0, 1));
    EXPECT_EQ(drain(ledger, anonymous_client(), 100), 100u);
  }
  {
    Ledger ledger(file(), allowing(1, 0, 2));
    EXPECT_EQ(ledger.standing("").remaining(), 0u);
  }
  Ledger ledger(file(), allowing(~std::uint64_t{0}, 0, 3));
  EXPECT_EQ(ledger.standing("").prepared, 100u);
}

TEST_F(LedgerTest, SaysOnceWhenNineTenthsAreUsed) {
  Ledger ledger(file(), allowing(100));
  std::vector<std::uint64_t> said;
  ledger.on_nearly_used = [&](const std::string& group, const Standing& now) {
    EXPECT_EQ(group, "a");
    said.push_back(now.prepared);
  };
  EXPECT_EQ(drain(ledger, named("anna", "a"), 89), 89u);
  EXPECT_TRUE(said.empty());
  drain(ledger, named("anna", "a"));
  EXPECT_EQ(said, std::vector<std::uint64_t>{90});
}

TEST_F(LedgerTest, ManyThreadsAndTwoServersNeverGrantMore) {
  constexpr std::uint64_t kPromised = 300;
  std::atomic<std::uint64_t> granted{0};
  {
    Ledger one(file(), allowing(kPromised)), two(file(), allowing(kPromised));
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&, i] {
        for (;;) {
          try {
            if ((i % 2 == 0 ? one : two).count(named("c" + std::to_string(i))).answer !=
                PrepareAnswer::granted)
              return;
            ++granted;
          } catch (const Error&) {
            // The other server was faster for two seconds, so this one grants nothing now.
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_LE(granted, kPromised);
  EXPECT_GE(granted, kPromised - 6 * 16) << "what others had written down ahead";
  Ledger after(file(), allowing(kPromised));
  EXPECT_EQ(after.standing("").prepared, granted) << "and was given back";
}

TEST_F(LedgerTest, RefusesWhatItCannotTrust) {
  EXPECT_EQ(error_of_opening(), "");
  for (const int mode : {0640, 0604, 0666}) {
    ::chmod(file().c_str(), static_cast<mode_t>(mode));
    EXPECT_NE(error_of_opening().find("chmod 600"), std::string::npos) << mode;
  }
  ::chmod(file().c_str(), 0400);
  EXPECT_NE(error_of_opening().find("read-only"), std::string::npos) << error_of_opening();
  ::chmod(file().c_str(), 0600);
  EXPECT_EQ(error_of_opening(), "");
  Other(file()).execute("INSERT INTO prepared VALUES('x', x'00', -1, 3)");
  {
    Ledger ledger(file(), allowing(10));
    EXPECT_THROW(ledger.count(anonymous_client()), Error) << "a promise is no negative number";
  }
  Other(file()).execute("PRAGMA user_version = 2");
  EXPECT_NE(error_of_opening().find("version 2"), std::string::npos) << error_of_opening();
}

TEST_F(LedgerTest, RefusesFilesThatAreNoLedger) {
  Other(file()).execute("CREATE TABLE t(x)");
  ::chmod(file().c_str(), 0600);
  EXPECT_NE(error_of_opening().find("is no ledger"), std::string::npos) << error_of_opening();
  std::ofstream(file(), std::ios::trunc) << std::string(5000, 'x');
  EXPECT_NE(error_of_opening().find("damaged"), std::string::npos) << error_of_opening();
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  EXPECT_NE(error_of_opening().find("ledger"), std::string::npos) << error_of_opening();
  EXPECT_THROW(Ledger(directory_.path() / "absent" / "ledger", allowing(10)), Error);
  EXPECT_THROW(Ledger::read(directory_.path() / "absent"), Error);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "absent"));
}

TEST_F(LedgerTest, ADamagedFileGrantsNothing) {
  {
    Ledger ledger(file(), allowing(100'000));
    EXPECT_EQ(drain(ledger, anonymous_client(), 40), 40u);
  }
  const auto size = std::filesystem::file_size(file());
  std::fstream(file(), std::ios::in | std::ios::out).seekp(static_cast<std::streamoff>(size / 3))
      << std::string(size / 3, '\x7f');
  EXPECT_NE(error_of_opening().find("damaged"), std::string::npos) << error_of_opening();
}

TEST_F(LedgerTest, ALockedFileIsWaitedForAndThenGrantsNothing) {
  Ledger ledger(file(), allowing(100));
  const Other other(file());
  other.execute("BEGIN EXCLUSIVE");
  try {
    ledger.count(anonymous_client());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("locked by another program"), std::string::npos) << error.what();
  }
  other.execute("COMMIT");
  EXPECT_EQ(drain(ledger, anonymous_client()), 100u);
}

TEST_F(LedgerTest, AFullDiskGrantsNothing) {
  Ledger ledger(file(), allowing(100));
  EXPECT_EQ(drain(ledger, anonymous_client(), 1), 1u);
  // As on a full disk, no file may grow; nothing else is written meanwhile.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  std::string sentence;
  try {
    ledger.count(anonymous_client());
  } catch (const Error& error) {
    sentence = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_NE(sentence.find("cannot be written"), std::string::npos) << sentence;
  EXPECT_EQ(drain(ledger, anonymous_client()), 99u) << "and there is room again";
}

TEST_F(LedgerTest, AFileThatIsRemovedOrReplacedGrantsNothing) {
  Ledger ledger(file(), allowing(100));
  EXPECT_EQ(drain(ledger, anonymous_client(), 1), 1u);
  std::filesystem::rename(file(), directory_.path() / "elsewhere");
  EXPECT_THROW(ledger.count(anonymous_client()), Error);
  Ledger fresh(file(), allowing(100));
  try {
    ledger.count(anonymous_client());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("removed or replaced"), std::string::npos) << error.what();
  }
}

TEST_F(LedgerTest, IsReadByAnOperator) {
  {
    Ledger ledger(file(), allowing(200, 0, 0xab));
    EXPECT_EQ(drain(ledger, named("anna", "a"), 50), 50u);
    EXPECT_EQ(drain(ledger, anonymous_client(), 10), 10u);
  }
  const auto rows = Ledger::read(file());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].client, "");
  EXPECT_EQ(rows[0].prepared, 10u);
  EXPECT_EQ(rows[1].client, "anna");
  EXPECT_EQ(rows[1].groups, std::vector<std::string>{"a"});
  EXPECT_EQ(rows[1].prepared, 50u);
  EXPECT_EQ(rows[1].promised, 200u);
  EXPECT_EQ(rows[1].package.substr(0, 4), "abab");
  EXPECT_DOUBLE_EQ(Ledger::used_share(rows, "a"), 0.3);
  EXPECT_DOUBLE_EQ(Ledger::used_share(rows, "b"), 0.05);
}

}  // namespace
}  // namespace ap::app

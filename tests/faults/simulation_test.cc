// Thousands of small worlds in which disks, networks, programs and machines fail (tools/faults runs more).
//
//   AP_FAULT_SEEDS=FIRST:COUNT  instead of the few hundred
#include "tests/faults/simulation.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/faults/documented_errors.h"
#include "tests/support/paths.h"

namespace ap::faults {
namespace {

// Set before the first loop runs: a world has one task at a time.
const bool one_thread = ::setenv("AUTOPRIVACY_THREADS", "1", 1) == 0;

constexpr std::uint64_t kSeeds = 300;
constexpr unsigned kWatchdogSeconds = 60;  ///< of real time, for one seed that takes a fiftieth of a second

std::uint64_t seed_now = 0;
void on_alarm(int) {
  std::fprintf(stderr, "\nseed %" PRIu64 " hangs: tools/faults --seed %" PRIu64 "\n", seed_now, seed_now);
  ::_exit(1);
}

const Networks& networks() {
  static const Networks both;
  return both;
}

Outcome watched(std::uint64_t seed, const Lies& lies = {}) {
  ::signal(SIGALRM, on_alarm);
  seed_now = seed;
  ::alarm(kWatchdogSeconds);
  Outcome outcome = simulate(seed, networks(), lies);
  ::alarm(0);
  return outcome;
}

TEST(Faults, NothingIsUsedTwiceLostOrWrong) {
  std::uint64_t first = 1, count = kSeeds;
  if (const char* range = std::getenv("AP_FAULT_SEEDS")) {
    ASSERT_EQ(std::sscanf(range, "%" SCNu64 ":%" SCNu64, &first, &count), 2) << "AP_FAULT_SEEDS=FIRST:COUNT";
  }
  std::map<std::string, std::uint64_t> counts;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = watched(seed);
    for (const auto& [what, n] : outcome.counts) counts[what] += n;
    for (const std::string& violation : outcome.violations)
      ADD_FAILURE() << violation << "\n  again: tools/faults --seed " << seed;
  }
  std::string summary;
  for (const auto& [what, n] : counts)
    summary += (summary.empty() ? "" : ", ") + std::to_string(n) + " " + what;
  std::printf("%" PRIu64 " seeds from %" PRIu64 ": %s\n", count, first, summary.c_str());
  if (count >= kSeeds) {
    for (const char* what : {"stored halves used by a server", "kills", "power cuts", "errors: peer",
                             "stored", "failed disk operations"})
      EXPECT_GT(counts[what], 50u) << what;
  }
}

TEST(Faults, SeedsThatOnceShowedSomething) {
  // 18324: the power went while the store wiped a half whose old name came back.
  // 19520: the network made the server say that its disk had failed.
  for (const std::uint64_t seed : {18324u, 19520u}) {
    for (const std::string& violation : watched(seed).violations)
      ADD_FAILURE() << violation << ", seed " << seed;
  }
}

TEST(Faults, ASeedGivesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    EXPECT_EQ(watched(seed).trace, watched(seed).trace) << seed;
}

/// How many of the first seeds notice a broken store, until one does.
std::uint64_t seeds_until_noticed(const Lies& lies, const std::string& words) {
  constexpr std::uint64_t kMost = 1500;
  for (std::uint64_t seed = 1; seed <= kMost; ++seed) {
    for (const std::string& violation : watched(seed, lies).violations) {
      if (violation.find(words) != std::string::npos) return seed;
    }
  }
  return 0;
}

TEST(Faults, ABrokenStoreIsNoticed) {
  Lies no_file_sync, no_directory_sync, no_claim, kept_name, no_lock;
  no_file_sync.file_sync = true;
  no_directory_sync.directory_sync = true;
  no_claim.directory_sync = no_claim.wipe = true;
  kept_name.keep_renamed = kept_name.wipe = true;
  no_lock.lock = true;
  const struct {
    const char* name;
    Lies lies;
    const char* words;
  } kCases[] = {{"halves not synced", no_file_sync, "though no disk has failed"},
                {"names not synced when stored", no_directory_sync, "lost"},
                {"names not synced when claimed, keys not wiped", no_claim, "twice"},
                {"claimed halves keep their name, keys not wiped", kept_name, "twice"},
                {"locks that hold no other program", no_lock, ""},
                {"counts not synced", no_file_sync, "are counted"}};
  for (const auto& c : kCases) {
    if (c.lies.lock && !std::getenv("AP_SLOW")) continue;  // a matter of a thousand seeds
    const std::uint64_t seeds = seeds_until_noticed(c.lies, c.words);
    std::printf("%s: noticed after %" PRIu64 " seeds\n", c.name, seeds);
    EXPECT_GT(seeds, 0u) << c.name;
  }
}

TEST(Faults, EveryRowIsInTheDocument) {
  std::ifstream in(tests::source_dir() / "docs" / "errors.md");
  std::stringstream text;
  text << in.rdbuf();
  for (const DocumentedError& error : documented_errors())
    EXPECT_NE(text.str().find(std::string("| ") + error.row + " |"), std::string::npos) << error.row;
}

}  // namespace
}  // namespace ap::faults

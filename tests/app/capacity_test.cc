#include "app/capacity.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ap::app {
namespace {

TEST(SessionsWithin, DividesWhatIsLeft) {
  EXPECT_EQ(sessions_within(0, 1000, 1000, 8), 8u) << "no ceiling";
  EXPECT_EQ(sessions_within(1000, 400, 100, 8), 6u);
  EXPECT_EQ(sessions_within(1000, 400, 100, 3), 3u);
  EXPECT_EQ(sessions_within(500, 400, 100, 3), 1u);
  EXPECT_THROW(sessions_within(499, 400, 100, 3), Error);
  EXPECT_THROW(sessions_within(300, 400, 100, 3), Error);
  EXPECT_THROW(sessions_within(0, 1, 1, 0), Error);
}

CapacityRequest request() {
  CapacityRequest request;
  request.sessions = 8;
  request.model_bytes = 10'000'000;
  request.session_bytes = 100'000'000;
  return request;
}
CapacityLimits plenty() { return {{1024, 10}, std::uint64_t{8'000'000'000}, std::uint64_t{1000}}; }

TEST(Capacity, IsWhatWasAskedForWhereThereIsPlenty) {
  const Capacity all = capacity(request(), plenty());
  EXPECT_EQ(all.sessions, 8u);
  EXPECT_EQ(all.pending, kMaxPending);
  EXPECT_TRUE(all.notes.empty());
  const Capacity unknown = capacity(request(), {{1024, 10}, {}, {}});
  EXPECT_EQ(unknown.sessions, 8u);
}

TEST(Capacity, EveryDescriptorIsAccountedFor) {
  CapacityRequest many = request();
  many.sessions = 10'000;
  for (std::size_t limit = 45; limit <= 2000; ++limit) {
    CapacityLimits limits = plenty();
    limits.memory = std::uint64_t{1} << 50;
    limits.threads.reset();
    limits.descriptors = {limit, 12};
    const Capacity fit = capacity(many, limits);
    EXPECT_GE(fit.sessions, 1u);
    EXPECT_GE(fit.pending, 8u);
    EXPECT_LE(12 + 20 + 3 * fit.sessions + fit.pending, limit) << limit;
    EXPECT_EQ(fit.notes.size(), 1u);
  }
  CapacityLimits none = plenty();
  none.descriptors = {40, 12};
  try {
    capacity(request(), none);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    EXPECT_NE(std::string(error.what()).find("at most 40 files may be open, and a server needs 43"),
              std::string::npos)
        << error.what();
  }
}

TEST(Capacity, TheQueueMakesRoomForSessions) {
  CapacityRequest waiting = request();
  waiting.queue = 32;
  const Capacity all = capacity(waiting, plenty());
  EXPECT_EQ(all.queue, 32u);
  EXPECT_TRUE(all.notes.empty());
  for (std::size_t limit = 43; limit <= 1024; ++limit) {
    CapacityLimits limits = plenty();
    limits.descriptors = {limit, 12};
    const Capacity fit = capacity(waiting, limits);
    EXPECT_GE(fit.sessions, 1u) << limit;
    EXPECT_GE(fit.pending, 8u) << limit;
    EXPECT_LE(12 + 20 + 3 * fit.sessions + fit.queue + fit.pending, limit);
    EXPECT_EQ(fit.notes.size(), (fit.queue < 32 ? 1u : 0u) + (fit.sessions < 8 ? 1u : 0u)) << limit;
  }
  CapacityLimits few = plenty();
  few.descriptors = {64, 12};
  const Capacity fit = capacity(waiting, few);
  EXPECT_EQ(fit.queue, 8u);
  EXPECT_EQ(fit.sessions, 5u);
  EXPECT_EQ(fit.pending, 9u);
  ASSERT_FALSE(fit.notes.empty());
  EXPECT_NE(fit.notes[0].find("at most 8 clients may wait for a session instead of 32: only 64 files"),
            std::string::npos)
      << fit.notes[0];
}

TEST(Capacity, MemoryOfTheMachineLowersSessionsAndSaysSo) {
  CapacityLimits limits = plenty();
  limits.memory = 500'000'000;
  const Capacity fit = capacity(request(), limits);
  EXPECT_EQ(fit.sessions, 4u) << "four fifths of it";
  ASSERT_EQ(fit.notes.size(), 1u);
  EXPECT_NE(fit.notes[0].find("at most 4 sessions at a time instead of 8: each may take 100 MB, and 500 MB"),
            std::string::npos)
      << fit.notes[0];
  limits.memory = 1000;
  EXPECT_EQ(capacity(request(), limits).sessions, 1u) << "an estimate keeps nobody from trying";
  CapacityRequest own = request();
  own.memory_ceiling = 250'000'000;
  EXPECT_EQ(capacity(own, limits).sessions, 2u) << "the operator knows better";
  own.memory_ceiling = 50'000'000;
  EXPECT_THROW(capacity(own, limits), Error);
}

TEST(Capacity, ThreadsLowerSessionsToo) {
  CapacityLimits limits = plenty();
  limits.threads = 20;
  EXPECT_EQ(capacity(request(), limits).sessions, 4u);
  limits.threads = 10;
  EXPECT_THROW(capacity(request(), limits), Error);
}

}  // namespace
}  // namespace ap::app

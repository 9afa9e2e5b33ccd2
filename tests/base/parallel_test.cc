#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace ap {
namespace {

TEST(Parallel, ThereIsAtLeastOneThreadAndTheNumberDoesNotChange) {
  EXPECT_GE(thread_count(), 1u);
  EXPECT_EQ(thread_count(), thread_count());
}

TEST(Parallel, EveryIndexIsVisitedExactlyOnce) {
  for (const std::size_t count : {0, 1, 2, 3, 100, 10'000}) {
    std::vector<std::atomic<int>> visits(count);
    parallel_for(count, [&](std::size_t i) { ++visits.at(i); });
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(visits[i], 1) << i << " of " << count;
  }
}

TEST(Parallel, WorkIsDoneBeforeTheCallReturns) {
  std::vector<std::uint64_t> squares(5000);
  parallel_for(squares.size(), [&](std::size_t i) { squares[i] = i * i; });
  for (std::size_t i = 0; i < squares.size(); ++i) ASSERT_EQ(squares[i], i * i);
}

TEST(Parallel, AtMostThreadCountBodiesRunAtOnce) {
  std::atomic<std::size_t> running{0};
  std::atomic<std::size_t> most{0};
  parallel_for(200, [&](std::size_t) {
    const std::size_t now = ++running;
    std::size_t seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --running;
  });
  EXPECT_LE(most, thread_count());
}

TEST(Parallel, AnErrorOfABodyReachesTheCallerWithItsCode) {
  for (const std::size_t count : {1, 2, 1000}) {
    try {
      parallel_for(count, [&](std::size_t i) {
        if (i == count / 2) fail_security("body {} refuses", i);
      });
      FAIL() << "no error from " << count << " bodies";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security);
      EXPECT_NE(std::string(error.what()).find("refuses"), std::string::npos);
    }
  }
}

TEST(Parallel, OneOfManyErrorsReachesTheCallerAndTheNextLoopIsClean) {
  EXPECT_THROW(parallel_for(1000, [](std::size_t i) { throw std::runtime_error(std::to_string(i)); }),
               std::runtime_error);
  std::atomic<int> calls{0};
  parallel_for(1000, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 1000);
}

TEST(Parallel, LoopsMayBeNested) {
  std::vector<std::atomic<int>> cells(20 * 30);
  parallel_for(20, [&](std::size_t i) { parallel_for(30, [&](std::size_t j) { ++cells[i * 30 + j]; }); });
  for (const auto& cell : cells) ASSERT_EQ(cell, 1);
}

TEST(Parallel, SeveralThreadsMayLoopAtOnce) {
  std::vector<std::thread> callers;
  std::vector<std::atomic<int>> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    callers.emplace_back([&sums, t] { parallel_for(500, [&sums, t](std::size_t) { ++sums[t]; }); });
  }
  for (auto& caller : callers) caller.join();
  for (const auto& sum : sums) EXPECT_EQ(sum, 500);
}

}  // namespace
}  // namespace ap

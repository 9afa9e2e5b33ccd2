#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace ap {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

TEST(LargeMemory, IsAlignedAndWhole) {
  for (const std::size_t bytes : {std::size_t{1}, kLargeBlock - 1, kLargeBlock, 5 * kMegabyte + 3}) {
    void* const p = take_pages(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 64, 0U);
    std::memset(p, 0x5a, bytes);
    EXPECT_EQ(static_cast<unsigned char*>(p)[bytes - 1], 0x5a);
    return_pages(p, bytes);
  }
  return_pages(nullptr, kMegabyte);
}

TEST(LargeMemory, KeepsWhatIsFreedUntilItIsReleased) {
  release_large_memory();
  EXPECT_EQ(kept_large_bytes(), 0U);
  void* const first = take_pages(8 * kMegabyte);
  return_pages(first, 8 * kMegabyte);
  const std::size_t kept = kept_large_bytes();
  if (kept == 0) GTEST_SKIP() << "this build keeps nothing";
  EXPECT_EQ(kept, 8 * kMegabyte);
  // The same block serves an array that is somewhat smaller.
  void* const again = take_pages(7 * kMegabyte);
  EXPECT_EQ(again, first);
  EXPECT_EQ(kept_large_bytes(), 0U);
  std::memset(again, 1, 7 * kMegabyte);
  return_pages(again, 7 * kMegabyte);
  EXPECT_EQ(kept_large_bytes(), kept);
  // But not one of a quarter.
  void* const small = take_pages(2 * kMegabyte);
  EXPECT_NE(small, first);
  return_pages(small, 2 * kMegabyte);
  release_large_memory();
  EXPECT_EQ(kept_large_bytes(), 0U);
}

TEST(LargeMemory, ServesVectorsOfSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&right, t] {
      bool good = true;
      for (std::uint64_t round = 0; round < 20; ++round) {
        LargeVector<std::uint64_t> values((kLargeBlock >> 3) + 1000 * round, round * 4 + t);
        good = good && values.front() == round * 4 + t && values.back() == round * 4 + t;
      }
      right[t] = good ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int one : right) EXPECT_EQ(one, 1);
  release_large_memory();
}

}  // namespace
}  // namespace ap

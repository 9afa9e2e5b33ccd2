#include "base/system_limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ap {
namespace {

TEST(SystemLimits, DescriptorsAreCounted) {
  const Descriptors before = descriptors();
  const int one = ::open("/dev/null", O_RDONLY), two = ::open("/dev/null", O_RDONLY);
  const Descriptors after = descriptors();
  ::close(one);
  ::close(two);
  EXPECT_EQ(after.open, before.open + 2);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(after.limit, limit.rlim_cur);
}

TEST(SystemLimits, LinesOfTheMemoryFiles) {
  const std::string text = "MemTotal:       24680000 kB\nMemAvailable:   1000 kB\nMemAvailableX: 3 kB\n";
  EXPECT_EQ(memory_line(text, "MemAvailable"), 1'024'000u);
  EXPECT_EQ(memory_line(text, "MemFree"), std::nullopt);
  EXPECT_EQ(memory_line("MemAvailable: x", "MemAvailable"), std::nullopt);
}

TEST(SystemLimits, MemoryIsNoMoreThanTheMachineSays) {
  const auto left = available_memory();
  ASSERT_TRUE(left.has_value());
  EXPECT_GT(*left, 1'000'000u);
  EXPECT_LT(*left, std::uint64_t{1} << 50);
}

}  // namespace
}  // namespace ap

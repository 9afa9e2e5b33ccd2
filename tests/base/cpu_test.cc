#include "base/cpu.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "base/parallel.h"
#include "tests/base/child_process.h"

namespace ap {
namespace {

/// The flags that the kernel reports for the first processor.
std::set<std::string> kernel_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(Cpu, AgreesWithTheKernel) {
  if (std::getenv("AUTOPRIVACY_CPU")) GTEST_SKIP() << "AUTOPRIVACY_CPU caps the choice";
  const auto flags = kernel_flags();
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo states no flags";
  const auto all = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (!flags.contains(name)) return false;
    }
    return true;
  };
  const bool avx2 = all({"avx2", "fma", "bmi2"});
  const bool avx512 = avx2 && all({"avx512f", "avx512dq", "avx512bw", "avx512vl"});
  EXPECT_EQ(cpu().avx2, avx2);
  EXPECT_EQ(cpu().avx512, avx512);
  EXPECT_EQ(cpu().ifma, avx512 && all({"avx512ifma"}));
  EXPECT_EQ(cpu().aes, all({"aes", "sse4_1"}));
  EXPECT_EQ(cpu().vaes, avx512 && all({"vaes"}));
  EXPECT_EQ(cpu().clmul, all({"pclmulqdq", "sse4_1"}));
  EXPECT_EQ(cpu().vclmul, avx512 && all({"pclmulqdq", "vpclmulqdq"}));
}

TEST(Cpu, IsDetectedOnce) { EXPECT_EQ(&cpu(), &cpu()); }

// Run by the tests below in a process of their own.
TEST(CpuInChild, DISABLED_Scalar) {
  EXPECT_FALSE(cpu().avx2 || cpu().avx512 || cpu().ifma || cpu().aes || cpu().vaes || cpu().clmul ||
               cpu().vclmul);
}
TEST(CpuInChild, DISABLED_NoAvx512) {
  EXPECT_FALSE(cpu().avx512 || cpu().ifma || cpu().vaes || cpu().vclmul);
}
TEST(CpuInChild, DISABLED_Avx2) { EXPECT_TRUE(cpu().avx2); }
TEST(CpuInChild, DISABLED_Avx512) { EXPECT_TRUE(cpu().avx512); }
TEST(CpuInChild, DISABLED_Ifma) { EXPECT_TRUE(cpu().ifma || cpu().vaes); }
TEST(CpuInChild, DISABLED_ThreeThreads) { EXPECT_EQ(thread_count(), 3u); }
TEST(CpuInChild, DISABLED_OneThread) { EXPECT_EQ(thread_count(), 1u); }

TEST(Cpu, TheCapLeavesOutWhatIsAboveIt) {
  const std::string prefix = "CpuInChild.DISABLED_";
  EXPECT_TRUE(passes_in_child("AUTOPRIVACY_CPU=scalar", prefix + "Scalar"));
  EXPECT_TRUE(passes_in_child("AUTOPRIVACY_CPU=avx2", prefix + "NoAvx512"));
  if (cpu().avx2) {
    EXPECT_TRUE(passes_in_child("AUTOPRIVACY_CPU=avx2", prefix + "Avx2"));
  }
  if (cpu().avx512) {
    EXPECT_TRUE(passes_in_child("AUTOPRIVACY_CPU=avx512", prefix + "Avx512"));
    EXPECT_FALSE(passes_in_child("AUTOPRIVACY_CPU=avx512", prefix + "Ifma"));
  }
}

TEST(Cpu, TheNumberOfThreadsFollowsTheEnvironment) {
  const std::string prefix = "CpuInChild.DISABLED_";
  EXPECT_TRUE(passes_in_child("AUTOPRIVACY_THREADS=3", prefix + "ThreeThreads"));
  EXPECT_TRUE(passes_in_child("AUTOPRIVACY_THREADS=1", prefix + "OneThread"));
  EXPECT_FALSE(passes_in_child("AUTOPRIVACY_THREADS=1", prefix + "ThreeThreads"));
}

}  // namespace
}  // namespace ap

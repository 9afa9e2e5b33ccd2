#include "analysis/profile/profile_measure.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "analysis/profile/measure.h"
#include "analysis/profile/profile_cache.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "random/prng.h"

namespace ap::cost {
namespace {

double clock_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double process_seconds() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }
double thread_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }

double Samples::figure() const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  const auto quartile = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 4);
  std::nth_element(sorted.begin(), quartile, sorted.end());
  return *quartile;
}

double Samples::least() const {
  return seconds_.empty() ? 0 : *std::min_element(seconds_.begin(), seconds_.end());
}

double time_of(const std::function<void()>& body, double budget) {
  using Clock = std::chrono::steady_clock;
  body();
  Samples samples;
  const auto end = Clock::now() + std::chrono::duration<double>(budget);
  for (int i = 0; i < 3 || (i < 1000 && Clock::now() < end); ++i) {
    const double before = process_seconds();
    body();
    samples.add(process_seconds() - before);
  }
  return samples.figure();
}

double measure_share_element() {
  constexpr std::size_t kElements = std::size_t{1} << 14;
  Prng prng;
  SecretVector<std::uint64_t> share(kElements);
  const double seconds = time_of(
      [&] {
        SecretVector<std::uint64_t> copy(kElements);
        sample_bits(prng, 20, std::span<std::uint64_t>(share));
        for (std::size_t i = 0; i < kElements; ++i) copy[i] = (share[i] >> 7) & 0xfff;
        share[0] += copy[kElements - 1];
      },
      0.01);
  return seconds / kElements;
}

double measure_fresh_byte() {
  constexpr std::size_t kBytes = std::size_t{32} << 20;  // no cache holds what a network needs
  return time_of(
             [] {
               SecretVector<std::uint8_t> material(kBytes);
               static_cast<volatile std::uint8_t*>(material.data())[kBytes / 2] = 1;
             },
             0.03) /
         kBytes;
}

/// Memory that was never anyone's: a system that has just freed some hands out that first, at a lower price.
double measure_first_byte() {
  constexpr std::size_t kBytes = std::size_t{384} << 20, kPage = 4096;
  void* const memory =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 0;
  const double before = process_seconds();
  auto* const bytes = static_cast<volatile std::uint8_t*>(memory);
  for (std::size_t i = 0; i < kBytes; i += kPage) bytes[i] = 1;
  const double seconds = process_seconds() - before;
  ::munmap(memory, kBytes);
  return seconds / kBytes;
}

double measure_loop() {
  // Between two of an inference there is time: threads wake, look for more, and go to sleep again.
  return time_of(
      [] {
        parallel_for(4, [](std::size_t) {});
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      },
      0.05);
}

Profile measure_profile(bool progress) {
  constexpr std::uint32_t kDegrees[] = {1024, 2048, 4096, 8192};
  Progress bar("profiling this machine", std::size(kDegrees) + 4, progress);
  Profile profile;
  profile.machine = machine_name();
  profile.cores = static_cast<int>(thread_count());
  profile.share_element = measure_share_element();
  profile.first_byte = measure_first_byte();
  profile.fresh_byte = measure_fresh_byte();
  profile.loop = measure_loop();
  profile.network = measure_network();
  bar.advance();
  measure_garbling(profile);
  bar.advance();
  measure_ot(profile);
  bar.advance();
  profile.clear = measure_clear();
  profile.simd = measure_simd();
  bar.advance();
  for (const std::uint32_t n : kDegrees) {
    for (const int primes : {1, 2}) {
      for (const int bits : {30, 50, 60}) profile.rings.push_back(measure_ring(n, primes, bits));
    }
    bar.advance();
  }
  return profile;
}

}  // namespace ap::cost

#include "cost/profile_measure.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "base/parallel.h"
#include "base/progress.h"
#include "cost/measure.h"
#include "cost/profile_cache.h"
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
  constexpr std::size_t kBytes = std::size_t{8} << 20;  // from the system each time, as large layers are
  return time_of([] { SecretVector<std::uint8_t> material(kBytes); }, 0.03) / kBytes;
}

double measure_loop() {
  return time_of([] { parallel_for(4, [](std::size_t) {}); }, 0.01);
}

Profile measure_profile(bool progress) {
  constexpr std::uint32_t kDegrees[] = {1024, 2048, 4096, 8192};
  Progress bar("profiling this machine", std::size(kDegrees) + 4, progress);
  Profile profile;
  profile.machine = machine_name();
  profile.cores = static_cast<int>(thread_count());
  profile.share_element = measure_share_element();
  profile.fresh_byte = measure_fresh_byte();
  profile.loop = measure_loop();
  profile.network = measure_network();
  bar.advance();
  measure_garbling(profile);
  bar.advance();
  measure_transfer(profile);
  bar.advance();
  profile.clear = measure_clear();
  profile.batched = measure_batched();
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

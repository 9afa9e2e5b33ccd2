// Clocks for reports. Nothing in the protocol depends on what they show.
#pragma once

#include <chrono>
#include <cstdint>

namespace ap::protocol {

/// Processor time of this process, all threads, in seconds.
double process_cpu_seconds();
/// Processor time of the calling thread, in seconds.
double thread_cpu_seconds();
/// Largest resident set of this process so far, in bytes.
std::uint64_t peak_rss_bytes();

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ap::protocol

// The stopwatch of the profile and its parts.
#pragma once

#include <cstdint>
#include <functional>

#include "analysis/cost/profile.h"

namespace ap::cost {

/// Processor seconds of this process, all threads.
double process_seconds();
/// Processor seconds of this thread.
double thread_seconds();

/// Collects times of one operation. Of processor times the lower quartile: what the other party and the
/// system do to the caches they do to inferences too, but not what others do who happen to be busy.
class Samples {
 public:
  void add(double seconds) { seconds_.push_back(seconds); }
  double figure() const;
  /// The smallest, for waiting times.
  double least() const;

 private:
  std::vector<double> seconds_;
};

/// Process seconds of body(), which is run for about `budget` seconds of wall time, at least three times.
double time_of(const std::function<void()>& body, double budget);

RingCosts measure_ring(std::uint32_t n, int primes, int prime_bits);
ClearCosts measure_clear();
/// Measures garbling, and the base OTs that every session begins with.
void measure_garbling(Profile& profile);
void measure_ot(Profile& profile);
SimdUnitCosts measure_simd();
NetworkCosts measure_network();
double measure_share_element();
double measure_fresh_byte();
double measure_loop();

}  // namespace ap::cost

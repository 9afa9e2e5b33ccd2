// Numbers that look random, from a seed, in a sequence whose state can be stored: what exploration and replay
// draw from. Not cryptographic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ap::ddpg {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// 64 mixed bits: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
  std::uint64_t bits();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform in 0..count-1, count at least 1.
  std::size_t index(std::size_t count);
  /// Standard normal (Box and Muller).
  double normal();
  /// Normal with this mean and standard deviation on the condition of lying in [0, 1], by rejection; for
  /// means in [0, 1] at least every third proposal is taken. A deviation of 0 gives the mean.
  double truncated_normal(double mean, double std);

  std::uint64_t state() const { return state_; }
  void restore(std::uint64_t state) { state_ = state; }

 private:
  std::uint64_t state_;
};

}  // namespace ap::ddpg

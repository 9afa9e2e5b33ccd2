#include "app/preparation_gate.h"

#include <algorithm>

namespace ap::app {

using Clock = std::chrono::steady_clock;

std::list<Clock::time_point>::iterator PreparationGate::enter() {
  const std::lock_guard lock(mutex_);
  return live_.insert(live_.end(), Clock::now());
}

void PreparationGate::leave(std::list<Clock::time_point>::iterator here) {
  {
    const std::lock_guard lock(mutex_);
    live_.erase(here);
  }
  left_.notify_all();
}

std::chrono::milliseconds PreparationGate::make_way() {
  const Clock::time_point since = Clock::now();
  std::unique_lock lock(mutex_);
  left_.wait_until(lock, since + kLongestPause, [&] {
    return std::ranges::none_of(live_, [](Clock::time_point began) { return Clock::now() - began < kLive; });
  });
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
}

}  // namespace ap::app

// Live inferences go first: who prepares an inference for later makes way, between the parts of its work, for those whose
// client waits with an image. Safe from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

namespace ap::app {

class PreparationGate {
 public:
  /// What preparing waits for at most before each part: a steady stream of live inferences slows it down and does not stop
  /// it.
  static constexpr std::chrono::milliseconds kLongestPause{100};
  /// An inference that has taken longer is not waited for any more: its client may be the one that takes its time.
  static constexpr std::chrono::milliseconds kLive{2'000};

  /// While it exists, an inference is live.
  class Live {
   public:
    explicit Live(PreparationGate& gate) : gate_(gate), here_(gate.enter()) {}
    ~Live() { gate_.leave(here_); }
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;

   private:
    PreparationGate& gate_;
    std::list<std::chrono::steady_clock::time_point>::iterator here_;
  };

  /// Waits while an inference is live. Returns how long.
  std::chrono::milliseconds make_way();

 private:
  std::list<std::chrono::steady_clock::time_point>::iterator enter();
  void leave(std::list<std::chrono::steady_clock::time_point>::iterator here);

  std::mutex mutex_;
  std::condition_variable left_;
  std::list<std::chrono::steady_clock::time_point> live_;  ///< when each began
};

}  // namespace ap::app

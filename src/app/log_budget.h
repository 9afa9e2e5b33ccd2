// How much an address may make the server write into its log.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ap::app {

/// Each address has a bucket of lines that fills up again; what is beyond it is counted and summarised. Of
/// bounded size: beyond kMaxAddresses all further ones share one bucket. Safe from any thread.
class LogBudget {
 public:
  static constexpr int kBurst = 20;                            ///< lines at once
  static constexpr std::chrono::seconds kRefill{3};            ///< for one more line
  static constexpr std::chrono::seconds kSummaryInterval{60};  ///< between summaries
  static constexpr std::size_t kMaxAddresses = 1024;

  using Clock = std::chrono::steady_clock;

  /// Whether a line about this address may be written now; counts it if not.
  bool allows(const std::string& address, Clock::time_point now = Clock::now());

  /// Sentences about what was left out since the last time, if kSummaryInterval has passed since then.
  /// Addresses that have been quiet are forgotten.
  std::vector<std::string> summaries(Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double lines = kBurst;
    Clock::time_point at;
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
  Clock::time_point last_summary_ = Clock::now();
};

}  // namespace ap::app

#include "app/log_budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace ap::app {

bool LogBudget::allows(const std::string& address, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto at = buckets_.find(address);
  if (at == buckets_.end()) {
    const std::string name = buckets_.size() < kMaxAddresses ? address : std::string("other addresses");
    at = buckets_.try_emplace(name, Bucket{kBurst, now, 0}).first;
  }
  Bucket& bucket = at->second;
  const std::chrono::duration<double> since = now - bucket.at;
  bucket.lines = std::min<double>(kBurst, bucket.lines + since / kRefill);
  bucket.at = now;
  if (bucket.lines < 1) {
    ++bucket.left_out;
    return false;
  }
  bucket.lines -= 1;
  return true;
}

std::vector<std::string> LogBudget::summaries(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> sentences;
  if (now - last_summary_ < kSummaryInterval) return sentences;
  const double seconds = std::chrono::duration<double>(now - last_summary_).count();
  last_summary_ = now;
  for (auto at = buckets_.begin(); at != buckets_.end();) {
    Bucket& bucket = at->second;
    if (bucket.left_out > 0) {
      sentences.push_back(fmt::format("{} more lines about {} were left out in the last {:.0f} s",
                                      bucket.left_out, at->first, seconds));
      bucket.left_out = 0;
    }
    at = now - bucket.at > kBurst * kRefill ? buckets_.erase(at) : std::next(at);
  }
  return sentences;
}

}  // namespace ap::app

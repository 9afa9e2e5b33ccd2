#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ap {

using Clock = std::chrono::steady_clock;

Progress::Progress(std::string title, std::uint64_t total, bool enabled)
    : title_(std::move(title)),
      total_(total),
      drawing_(enabled && ::isatty(STDERR_FILENO)),
      start_(Clock::now()),
      drawn_(start_) {}

Progress::~Progress() {
  if (drawing_ && done_ > 0) draw(true);
}

void Progress::advance(std::uint64_t units) {
  done_ += units;
  if (drawing_ && Clock::now() - drawn_ > std::chrono::milliseconds(100)) draw(false);
}

void Progress::note(std::string text) { note_ = std::move(text); }

void Progress::draw(bool last) {
  drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - start_).count();
  const double share = total_ ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 1.0;
  const int width = 28;
  const int filled = static_cast<int>(share * width);
  const double left = share > 0 ? seconds / share - seconds : 0;
  fmt::print(stderr, "\r{} [{}{}] {}/{} {:.1f} s{} {}\x1b[K", title_, std::string(filled, '#'),
             std::string(width - filled, '.'), done_, total_, seconds,
             last ? std::string() : fmt::format(", {:.0f} s left", left), note_);
  if (last) fmt::print(stderr, "\n");
  std::fflush(stderr);
}

}  // namespace ap

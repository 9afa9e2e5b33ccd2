#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ap {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{100};

void draw(const ProgressReport& report) {
  const double share =
      report.total ? std::min(1.0, static_cast<double>(report.done) / static_cast<double>(report.total))
                   : 1.0;
  const int width = 28;
  const int filled = static_cast<int>(share * width);
  const double left = share > 0 ? report.seconds / share - report.seconds : 0;
  fmt::print(stderr, "\r{} [{}{}] {}/{} {:.1f} s{} {}\x1b[K", report.title, std::string(filled, '#'),
             std::string(width - filled, '.'), report.done, report.total, report.seconds,
             report.last ? std::string() : fmt::format(", {:.0f} s left", left), report.note);
  if (report.last) fmt::print(stderr, "\n");
  std::fflush(stderr);
}

}  // namespace

ProgressSink terminal_progress() { return ::isatty(STDERR_FILENO) ? ProgressSink(draw) : ProgressSink(); }

Progress::Progress(std::string title, std::uint64_t total, ProgressSink sink)
    : title_(std::move(title)), total_(total), sink_(std::move(sink)), start_(Clock::now()), told_(start_) {}

Progress::Progress(std::string title, std::uint64_t total, bool enabled)
    : Progress(std::move(title), total, enabled ? terminal_progress() : ProgressSink()) {}

Progress::~Progress() {
  if (sink_ && done_ > 0) tell(true);
}

void Progress::advance(std::uint64_t units) {
  done_ += units;
  if (sink_ && Clock::now() - told_ > kInterval) tell(false);
}

void Progress::note(std::string text) { note_ = std::move(text); }

void Progress::tell(bool last) {
  told_ = Clock::now();
  const double seconds = std::chrono::duration<double>(told_ - start_).count();
  sink_({title_, note_, done_, total_, seconds, last});
}

}  // namespace ap

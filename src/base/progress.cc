#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace ap {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{100};

/// Columns of the terminal; 80 if it does not say.
std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// One line that fits, erased at the end.
void draw(const ProgressReport& report) {
  if (report.last) {
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    return;
  }
  const double share =
      report.total ? std::min(1.0, static_cast<double>(report.done) / static_cast<double>(report.total))
                   : 1.0;
  const double left = share > 0 ? report.seconds / share - report.seconds : 0;
  const std::string words = fmt::format(" {}/{} {:.1f} s, {:.0f} s left {}", report.done, report.total,
                                        report.seconds, left, report.note);
  constexpr std::size_t kLongest = 28, kShortest = 8, kFrame = 3;
  const std::size_t wide = columns() - 1, taken = report.title.size() + words.size() + kFrame;
  const std::size_t width = wide > taken ? std::min(kLongest, wide - taken) : 0;
  std::string line(report.title);
  if (width >= kShortest) {
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    line += fmt::format(" [{}{}]", std::string(filled, '#'), std::string(width - filled, '.'));
  }
  line += words;
  fmt::print(stderr, "\r{}\x1b[K", line.substr(0, wide));
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

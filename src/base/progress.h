// How far work is that a person has to wait for: told to whoever asked, ten times a second at most. The
// commands have it drawn as a bar with an estimate of the time left.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ap {

struct ProgressReport {
  std::string_view title;  ///< of the work
  std::string_view note;   ///< what is being done now; may be empty
  std::uint64_t done = 0, total = 0;
  double seconds = 0;  ///< since the start
  bool last = false;   ///< nothing follows, whether or not all was done
};

/// Called on the thread that works. Must not throw.
using ProgressSink = std::function<void(const ProgressReport&)>;

/// Draws a bar on standard error; empty if that is no terminal.
ProgressSink terminal_progress();

class Progress {
 public:
  /// `total` units of work; an empty `sink` is told nothing.
  Progress(std::string title, std::uint64_t total, ProgressSink sink);
  /// To the terminal, if `enabled` and there is one.
  Progress(std::string title, std::uint64_t total, bool enabled = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t units = 1);
  /// A word on what is being done now, shown behind the bar.
  void note(std::string text);

 private:
  void tell(bool last);
  std::string title_;
  std::string note_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  ProgressSink sink_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace ap

// A progress bar with an estimate of the time left, on standard error, for work that a person has to
// wait for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ap {

class Progress {
 public:
  /// `total` units of work. Draws only when standard error is a terminal, at most ten times a second.
  Progress(std::string title, std::uint64_t total, bool enabled = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t units = 1);
  /// A word on what is being done now, shown behind the bar.
  void note(std::string text);

 private:
  void draw(bool last);
  std::string title_;
  std::string note_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  bool drawing_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace ap

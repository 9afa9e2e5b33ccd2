// How far work is that takes longer than a blink.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace autoprivacy {

/// How far one piece of work is. Work consists of such pieces one after another, each with its own `total`.
struct Progress {
  std::string task;         ///< what is being done, such as "compile", "search" or "accuracy"
  std::string detail;       ///< what of it is being done now; may be empty
  std::uint64_t done = 0;   ///< units that are done, 0 to `total`
  std::uint64_t total = 0;  ///< units of the whole piece; what a unit is depends on the task
  double seconds = 0;       ///< since the piece began
  bool last = false;        ///< whether this is the last word on this piece
};

/// Gets word of progress at most ten times a second, and at the end of each piece of work. It is called on a
/// thread that does the work, never on two at a time, and must return soon. If it throws, the work ends and its
/// function throws Error(internal); it must not throw where `last` is set.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace autoprivacy

// The border between this program's own errors and the one of the public interface.
#pragma once

namespace ap::app {

/// Throws the exception that is being handled as an autoprivacy::Error: with its own code and sentence if it
/// is an ap::Error or one already, else as internal.
[[noreturn]] void rethrow_translated();

/// What `work` returns. @throws autoprivacy::Error alone.
template <typename Work>
auto translated(const Work& work) {
  try {
    return work();
  } catch (...) {
    rethrow_translated();
  }
}

}  // namespace ap::app

// One fuzz target: a function that gets bytes nobody trusts. All targets are in one program, which looks at
// the name that it was called by (docs/fuzzing.md): what they share is then linked once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace ap::fuzz {

/// The errors that may end a target, by what its bytes stand for. ErrorCode::internal never may.
enum class Mistakes : unsigned {
  of_a_file = 1U << static_cast<int>(ErrorCode::input),
  of_a_peer = 1U << static_cast<int>(ErrorCode::peer),
  of_a_peer_or_its_security = of_a_peer | 1U << static_cast<int>(ErrorCode::security),
  of_a_file_or_its_security = of_a_file | 1U << static_cast<int>(ErrorCode::security),
  none = 0,  ///< every input is a right one
};

struct Target {
  const char* name;
  void (*run)(ByteView);
  std::vector<Bytes> (*seeds)();  ///< what the fuzzer starts from: made by the project's own writers
  Mistakes mistakes = Mistakes::of_a_file;
  std::size_t max_bytes = 4096;       ///< of one input
  const char* dictionary = "";        ///< a file of fuzz/dictionaries, without ".dict"
  std::size_t largest_block_mb = 64;  ///< no single allocation may be larger
  /// Changes an input in place and returns its new size; libFuzzer's own mutations if null.
  std::size_t (*mutate)(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) = nullptr;
};

/// A global variable of this type makes a target known.
struct Register {
  explicit Register(const Target& target);
};

/// Runs a target on one input. Aborts, which the fuzzer reports, on an error that it may not end with.
void run_target(const Target& target, ByteView input);

/// Says what does not hold and aborts.
[[noreturn]] void report(const char* what);
/// An oracle beyond not crashing: what every input must satisfy.
inline void require(bool holds, const char* what) {
  if (!holds) report(what);
}

}  // namespace ap::fuzz

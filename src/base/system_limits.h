// What the system grants this process, so that a program can size itself instead of failing later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace ap {

struct Descriptors {
  std::size_t limit = 0;  ///< RLIMIT_NOFILE, the one in force
  std::size_t open = 0;   ///< by this process now
};
Descriptors descriptors();

/// Bytes that this process may still take without pushing others out: the least of the machine's available
/// memory, the control group's limit (version 2) and the address-space limit. Nothing where none of them can
/// be read.
std::optional<std::uint64_t> available_memory();

/// Threads that may still be started under the control group's limit; nothing where there is none.
std::optional<std::uint64_t> available_threads();

/// For tests: the value in kB after `name` and a colon in a text like /proc/meminfo, in bytes.
std::optional<std::uint64_t> memory_line(const std::string& text, const std::string& name);

}  // namespace ap

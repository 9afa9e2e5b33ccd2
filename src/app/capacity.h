// How many clients a server can take on this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/system_limits.h"

namespace ap::app {

/// How many sessions fit under the memory ceiling, at most `wanted`.
/// @throws Error(input) with the bytes needed if not even one does.
std::size_t sessions_within(std::uint64_t ceiling, std::uint64_t model_bytes, std::uint64_t session_bytes,
                            std::size_t wanted);

struct CapacityRequest {
  std::size_t sessions = 8;
  std::uint64_t memory_ceiling = 0;  ///< as the operator says; 0: what the machine has
  std::uint64_t model_bytes = 0;     ///< already taken
  std::uint64_t session_bytes = 0;   ///< at most, each
  std::size_t queue = 0;             ///< clients that may wait for a session
};
/// What the system grants; each may be unknown.
struct CapacityLimits {
  Descriptors descriptors;
  std::optional<std::uint64_t> memory, threads;
};
struct Capacity {
  std::size_t sessions = 0;
  std::size_t pending = 0;         ///< clients that have not greeted yet
  std::size_t queue = 0;           ///< clients that may wait for a session
  std::vector<std::string> notes;  ///< a sentence about each thing that is lower than asked for
};

inline constexpr std::size_t kMaxPending = 256;

/// @throws Error(input) if the limits leave no room for a single session (of memory: only if the operator set
/// the ceiling).
Capacity capacity(const CapacityRequest& request, const CapacityLimits& limits);

}  // namespace ap::app

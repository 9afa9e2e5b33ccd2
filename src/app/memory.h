// What the parties of a network need to have free, programs included.
#pragma once

#include <cstdint>

#include "package/package.h"
#include "protocol/hybrid/memory.h"

namespace ap::app {

/// Bytes. Measured peaks of whole processes are within a tenth, where the plan names the activation protocols
/// (docs/data.md); `auto` counts for each layer the one that takes more.
struct Memory {
  std::uint64_t server = 0;     ///< without a session: the program and the weights
  std::uint64_t session = 0;    ///< each client that prepares one inference at a time adds so much
  std::uint64_t client = 0;     ///< the client's program, with one inference at a time
  protocol::MemoryNeeds needs;  ///< what these are made of
};
Memory memory_of(const package::Package& package);

/// The program with the weights of a network at the server.
std::uint64_t model_bytes(const protocol::MemoryNeeds& needs);

}  // namespace ap::app

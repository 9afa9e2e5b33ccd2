#include "app/memory.h"

namespace ap::app {
namespace {

// Code, libraries and threads of the program, and what messages take on their way; measured with a network of a few
// weights.
constexpr std::uint64_t kProgram = 25'000'000, kMessages = 8'000'000;

}  // namespace

std::uint64_t model_bytes(const protocol::MemoryNeeds& needs) {
  return kProgram + needs.model + needs.weights;
}

Memory memory_of(const package::Package& package) {
  Memory memory;
  memory.needs = protocol::memory_needs(protocol::Model(package.network, package.plan));
  memory.server = model_bytes(memory.needs);
  memory.session = memory.needs.session(1) + kMessages;
  memory.client = kProgram + kMessages + memory.needs.model + memory.needs.client();
  return memory;
}

}  // namespace ap::app

#include "base/memory.h"

#include <string.h>

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ap {
namespace {

constexpr std::align_val_t kLineAlignment{64};
#if defined(__linux__)
constexpr std::uintptr_t kPage = 4096;
#endif

}  // namespace

void wipe(void* data, std::size_t bytes) {
  if (bytes > 0) explicit_bzero(data, bytes);
}

void* allocate_large(std::size_t bytes) {
  void* block = ::operator new(bytes, kLineAlignment);
#if defined(__linux__)
  // Advice: where there are no huge pages, all stays as it was. An alignment of huge pages is not asked for, because
  // the allocator of glibc would then not find what was freed before.
  const auto begin = (reinterpret_cast<std::uintptr_t>(block) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<std::uintptr_t>(block) + bytes) / kPage * kPage;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
  return block;
}

void free_large(void* block) { ::operator delete(block, kLineAlignment); }

}  // namespace ap

#include "base/memory.h"

#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ap {

void wipe(void* data, std::size_t bytes) {
  if (bytes > 0) explicit_bzero(data, bytes);
}

void* allocate_large(std::size_t bytes) {
  void* block = ::operator new (bytes, std::align_val_t{kLargeBlock});
#if defined(__linux__)
  // Advice: where there are no huge pages, all stays as it was.
  madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

void free_large(void* block) { ::operator delete (block, std::align_val_t{kLargeBlock}); }

}  // namespace ap

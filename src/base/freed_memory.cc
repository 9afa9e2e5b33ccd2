#include "base/freed_memory.h"

#include <cstdlib>

#include "base/memory.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace ap {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The largest threshold that is allowed; what is larger still comes from the system each time.
  mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024 * static_cast<int>(sizeof(long)));
  mallopt(M_TRIM_THRESHOLD, -1);
  // A pool of its own for each thread would trim itself, and what one thread frees would not serve another.
  mallopt(M_ARENA_MAX, 1);
#endif
}

void give_back_freed_memory() {
  release_large_memory();
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace ap

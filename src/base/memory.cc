#include "base/memory.h"

#include <string.h>

namespace ap {

void wipe(void* data, std::size_t bytes) {
  if (bytes > 0) explicit_bzero(data, bytes);
}

}  // namespace ap

// Wiping of what is secret and not in a SecretVector: arrays and structures on the stack.
#pragma once

#include <type_traits>

#include "base/memory.h"

namespace ap {

/// Overwrites these objects, which must hold what is secret itself and not a pointer to it, with zeros.
template <typename... T>
void wipe_objects(T&... objects) {
  static_assert((std::is_trivially_copyable_v<T> && ...));
  (wipe(&objects, sizeof objects), ...);
}

}  // namespace ap

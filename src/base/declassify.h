// Marks the places where what was computed from secrets becomes public: how many draws a rejection took, what
// is about to be sent, whether a check held. For the reader, and for tests/constant_time, which tells a
// memory checker that everything secret is undefined, so that no branch and no index may depend on it, until
// it is declassified. The programs themselves leave the hook null.
#pragma once

#include <cstddef>

namespace ap {

inline void (*declassify_hook)(const void* data, std::size_t bytes) = nullptr;

inline void declassify(const void* data, std::size_t bytes) {
  if (declassify_hook != nullptr) declassify_hook(data, bytes);
}
/// Declassifies one object, without what it points to.
template <typename T>
void declassify(const T& value) {
  declassify(&value, sizeof value);
}

}  // namespace ap

// Memory for arrays of megabytes that come and go, such as polynomials: on huge pages as in base/memory.h, and kept for the
// next such array when it is freed. A page that the system hands out anew has to be zeroed, on virtual machines
// mapped twice too, which costs more than most of what is computed in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "base/memory.h"

namespace ap {

/// Freed blocks that are kept, together; what does not fit goes back to the system.
inline constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;

/// `bytes` of memory with any content, aligned to 64. Less than kLargeBlock is the C++ library's matter. Thread-safe. @throws std::bad_alloc if there is none.
void* take_pages(std::size_t bytes);
/// `p` from take_pages(bytes), or nullptr.
void return_pages(void* p, std::size_t bytes) noexcept;
/// Bytes of freed blocks that are kept for reuse.
std::size_t kept_large_bytes();
/// Gives them back to the system.
void release_large_memory();

template <typename T>
struct LargeAllocator {
  using value_type = T;
  LargeAllocator() = default;
  // Implicit, as the standard asks of allocators.
  template <typename U>
  LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t n) { return static_cast<T*>(take_pages(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { return_pages(p, n * sizeof(T)); }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

/// Whose new elements have any value until they are written.
template <typename T>
struct UnsetAllocator : LargeAllocator<T> {
  template <typename U>
  struct rebind {
    using other = UnsetAllocator<U>;
  };
  template <typename U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
};

/// Not for secrets: it is not wiped.
template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;
template <typename T>
using UnsetVector = std::vector<T, UnsetAllocator<T>>;

}  // namespace ap

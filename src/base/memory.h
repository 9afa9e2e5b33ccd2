// Aligned vectors for vector kernels, and vectors whose memory is wiped before it is freed, for secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace ap {

/// Overwrites memory with zeros in a way the compiler must keep.
void wipe(void* data, std::size_t bytes);

/// From this many bytes on blocks come from allocate_large: the size of a huge page.
inline constexpr std::size_t kLargeBlock = std::size_t{1} << 21;

/// A block that begins at a multiple of kLargeBlock and that the system is asked to back with huge pages. Otherwise
/// preparing a large network spends a fifth of its time in faults of single pages.
/// @throws std::bad_alloc
void* allocate_large(std::size_t bytes);
void free_large(void* block);

template <typename T, bool kWipe>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};
  template <typename U>
  struct rebind {
    using other = CacheLineAllocator<U, kWipe>;
  };
  CacheLineAllocator() = default;
  // Implicit, as the standard asks of allocators.
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U, kWipe>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    return static_cast<T*>(bytes < kLargeBlock ? ::operator new(bytes, kAlignment) : allocate_large(bytes));
  }
  void deallocate(T* p, std::size_t n) {
    if constexpr (kWipe) wipe(p, n * sizeof(T));
    if (n * sizeof(T) < kLargeBlock) {
      ::operator delete(p, kAlignment);
    } else {
      free_large(p);
    }
  }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

/// 64-byte aligned vector.
template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T, false>>;
/// 64-byte aligned vector whose storage is zeroed before it is returned. For keys, masks, labels, shares.
template <typename T>
using SecretVector = std::vector<T, CacheLineAllocator<T, true>>;

}  // namespace ap

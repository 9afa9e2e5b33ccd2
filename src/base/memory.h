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
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* p, std::size_t n) {
    if constexpr (kWipe) wipe(p, n * sizeof(T));
    ::operator delete(p, kAlignment);
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

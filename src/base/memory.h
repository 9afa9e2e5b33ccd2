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

/// A block, aligned to 64 bytes, that the system is asked to back with huge pages. Otherwise preparing a large network
/// spends a fifth of its time in faults of single pages.
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

// Arrays of megabytes that come and go, such as polynomials: on huge pages, and kept for the next such array when they are
// freed. A page that the system hands out anew has to be zeroed, on virtual machines mapped twice too, which costs more
// than most of what is computed in it.

/// Freed blocks that are kept, together; what does not fit goes back to the system.
inline constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;

/// `bytes` of memory with any content, aligned to 64. Less than kLargeBlock is the C++ library's matter. Thread-safe.
/// @throws std::bad_alloc if there is none.
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

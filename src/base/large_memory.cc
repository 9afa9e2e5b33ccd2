#include "base/memory.h"

#include <map>
#include <mutex>
#include <new>
#include <unordered_map>

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#include <sys/mman.h>
#define AP_LARGE_PAGES
#endif

namespace ap {
namespace {

constexpr std::align_val_t kAlignment{64};

#if defined(AP_LARGE_PAGES)

constexpr std::size_t kPage = std::size_t{2} << 20;

void* map_pages(std::size_t bytes) {
  void* const p = ::mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  // Only the part that begins at a large page is kept.
  auto* const begin = static_cast<std::uint8_t*>(p);
  const std::size_t skip = (kPage - reinterpret_cast<std::uintptr_t>(begin) % kPage) % kPage;
  if (skip > 0) ::munmap(begin, skip);
  if (skip < kPage) ::munmap(begin + skip + bytes, kPage - skip);
  ::madvise(begin + skip, bytes, MADV_HUGEPAGE);
  return begin + skip;
}

// All blocks, in use and freed ones. Never destroyed: objects with static storage may free theirs at the very end.
class Blocks {
 public:
  void* take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      // The smallest one that is large enough and not twice that.
      const auto found = kept_.lower_bound(bytes);
      if (found != kept_.end() && found->first / 2 <= bytes) {
        const auto [size, p] = *found;
        used_.emplace(p, size);
        kept_.erase(found);
        total_ -= size;
        return p;
      }
    }
    void* const p = map_pages(bytes);
    const std::lock_guard lock(mutex_);
    used_.emplace(p, bytes);
    return p;
  }
  void put(void* p) {
    const std::lock_guard lock(mutex_);
    const auto found = used_.find(p);
    const std::size_t size = found->second;
    used_.erase(found);
    if (size <= kMostKeptBytes - total_) {
      kept_.emplace(size, p);
      total_ += size;
    } else {
      ::munmap(p, size);
    }
  }
  std::size_t total() {
    const std::lock_guard lock(mutex_);
    return total_;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    for (const auto& [bytes, p] : kept_) ::munmap(p, bytes);
    kept_.clear();
    total_ = 0;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, std::size_t> used_;
  std::multimap<std::size_t, void*> kept_;
  std::size_t total_ = 0;
};

Blocks& blocks() {
  static Blocks* const instance = new Blocks;
  return *instance;
}

#endif

}  // namespace

#if defined(AP_LARGE_PAGES)

void* take_pages(std::size_t bytes) {
  if (bytes < kLargeBlock) return ::operator new(bytes, kAlignment);
  if (bytes > ~std::size_t{0} - 2 * kPage) throw std::bad_alloc();
  return blocks().take((bytes + kPage - 1) / kPage * kPage);
}

void return_pages(void* p, std::size_t bytes) noexcept {
  if (p == nullptr) return;
  if (bytes < kLargeBlock) {
    ::operator delete(p, kAlignment);
  } else {
    blocks().put(p);
  }
}

std::size_t kept_large_bytes() { return blocks().total(); }
void release_large_memory() { blocks().release(); }

#else

void* take_pages(std::size_t bytes) { return ::operator new(bytes, kAlignment); }
void return_pages(void* p, std::size_t) noexcept { ::operator delete(p, kAlignment); }
std::size_t kept_large_bytes() { return 0; }
void release_large_memory() {}

#endif

}  // namespace ap

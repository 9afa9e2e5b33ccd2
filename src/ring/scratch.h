// Memory for intermediate results that are written before they are read: aligned words that nobody zeroes first. Not for
// secrets: it is not wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/memory.h"

namespace ap::ring {

class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::size_t words) { grow(words); }
  /// At least so many words, whose values are not kept.
  void grow(std::size_t words) {
    if (words <= words_) return;
    data_.reset();
    data_.reset(Allocator().allocate(words));
    words_ = words;
  }
  std::uint64_t* data() { return data_.get(); }
  const std::uint64_t* data() const { return data_.get(); }
  std::span<std::uint64_t> words(std::size_t first, std::size_t count) {
    return {data_.get() + first, count};
  }
  std::span<const std::uint64_t> words(std::size_t first, std::size_t count) const {
    return {data_.get() + first, count};
  }

 private:
  using Allocator = CacheLineAllocator<std::uint64_t, false>;
  struct Free {
    void operator()(std::uint64_t* p) const { Allocator().deallocate(p, 0); }
  };
  std::unique_ptr<std::uint64_t, Free> data_;
  std::size_t words_ = 0;
};

}  // namespace ap::ring

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
    if (data_ && words <= data_.get_deleter().words) return;
    data_.reset();
    data_ = Words(static_cast<std::uint64_t*>(take_pages(words * sizeof(std::uint64_t))), Free{words});
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
  struct Free {
    std::size_t words;
    void operator()(std::uint64_t* p) const { return_pages(p, words * sizeof(std::uint64_t)); }
  };
  using Words = std::unique_ptr<std::uint64_t, Free>;
  Words data_{nullptr, Free{0}};
};

}  // namespace ap::ring

// Secret words of Z_2^width for many instances, of which preprocessing holds hundreds of megabytes for large networks:
// 32 bits each where they fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/memory.h"

namespace ap::mpc {

class RingWords {
 public:
  RingWords() = default;
  /// `count` zeros of `width` bits, 1 to 64.
  RingWords(std::size_t count, int width) {
    if (width <= 32) {
      narrow_.resize(count);
    } else {
      wide_.resize(count);
    }
  }

  /// Bytes that one word of `width` bits takes.
  static constexpr std::size_t bytes_each(int width) { return width <= 32 ? 4 : 8; }

  std::size_t size() const { return narrow_.size() + wide_.size(); }
  std::uint64_t operator[](std::size_t i) const { return wide_.empty() ? narrow_[i] : wide_[i]; }

  /// body(vector): what holds the words, of std::uint32_t or std::uint64_t.
  template <typename Body>
  void visit(const Body& body) {
    wide_.empty() ? body(narrow_) : body(wide_);
  }
  template <typename Body>
  void visit(const Body& body) const {
    wide_.empty() ? body(narrow_) : body(wide_);
  }

 private:
  SecretVector<std::uint32_t> narrow_;
  SecretVector<std::uint64_t> wide_;
};

}  // namespace ap::mpc

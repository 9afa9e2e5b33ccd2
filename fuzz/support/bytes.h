// Between bytes and what targets and seeds are made of.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ap::fuzz {

inline std::string text_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// Takes numbers off the front of an input; zeros behind its end. For choices beside the bytes themselves.
class Choices {
 public:
  explicit Choices(ByteView& input) : input_(input) {}
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value = value << 8 | (input_.empty() ? 0U : input_.front());
      if (!input_.empty()) input_ = input_.subspan(1);
    }
    return value;
  }
  /// In [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + number(4) % (high - low + 1); }

 private:
  ByteView& input_;
};

}  // namespace ap::fuzz

// Integers of any size, to compare residue arithmetic with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ring/modulus.h"

namespace ap::oracle {

/// An unsigned integer of any size, as 32-bit words, least first: just enough to check residues.
struct Big {
  std::vector<std::uint32_t> words;
  static Big of(std::uint64_t x) {
    return {{static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(x >> 32)}};
  }
  Big times(std::uint64_t factor) const {  // factor below 2^60
    Big low = times_small(static_cast<std::uint32_t>(factor));
    Big high = times_small(static_cast<std::uint32_t>(factor >> 32));
    high.words.insert(high.words.begin(), 0);
    return low.plus(high);
  }
  Big plus(const Big& other) const {
    Big sum;
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < std::max(words.size(), other.words.size()) + 1; ++i) {
      carry += (i < words.size() ? words[i] : 0ULL) + (i < other.words.size() ? other.words[i] : 0ULL);
      sum.words.push_back(static_cast<std::uint32_t>(carry));
      carry >>= 32;
    }
    return sum;
  }
  std::uint64_t mod(std::uint64_t q) const {
    ring::Uint128 rest = 0;
    for (std::size_t i = words.size(); i-- > 0;) rest = ((rest << 32) | words[i]) % q;
    return static_cast<std::uint64_t>(rest);
  }
  Big half() const {
    Big result(*this);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::uint32_t next = i + 1 < words.size() ? words[i + 1] & 1 : 0;
      result.words[i] = (words[i] >> 1) | (next << 31);
    }
    return result;
  }
  /// Needs *this >= other.
  Big minus(const Big& other) const {
    Big result(*this);
    std::int64_t borrow = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::int64_t value = static_cast<std::int64_t>(words[i]) - borrow -
                           (i < other.words.size() ? static_cast<std::int64_t>(other.words[i]) : 0);
      borrow = value < 0 ? 1 : 0;
      if (value < 0) value += std::int64_t{1} << 32;
      result.words[i] = static_cast<std::uint32_t>(value);
    }
    return result;
  }
  bool above(const Big& other) const {
    for (std::size_t i = std::max(words.size(), other.words.size()); i-- > 0;) {
      const std::uint32_t x = i < words.size() ? words[i] : 0,
                          y = i < other.words.size() ? other.words[i] : 0;
      if (x != y) return x > y;
    }
    return false;
  }

 private:
  Big times_small(std::uint32_t factor) const {
    Big product;
    std::uint64_t carry = 0;
    for (const std::uint32_t word : words) {
      carry += static_cast<std::uint64_t>(word) * factor;
      product.words.push_back(static_cast<std::uint32_t>(carry));
      carry >>= 32;
    }
    product.words.push_back(static_cast<std::uint32_t>(carry));
    return product;
  }
};

}  // namespace ap::oracle

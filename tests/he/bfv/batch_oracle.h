// What the batching tests compare with: slot arithmetic straight from the definitions, and big integers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "he/bfv/batch_scheme.h"
#include "tests/he/bfv/oracle.h"

namespace ap::bfv::oracle {

using Slots = std::vector<std::uint64_t>;

struct BatchShape {
  std::uint32_t n;
  std::vector<int> plain = {}, data = {}, special = {};
  std::uint32_t digits = 0;
  bool products = false;
};

inline BatchContextPtr batch_context(const BatchShape& shape) {
  BatchParameters parameters{shape.n, {}, {}, {}, shape.digits, shape.products};
  std::vector<std::uint64_t> taken;
  const auto take = [&](const std::vector<int>& sizes, std::vector<std::uint64_t>& to) {
    for (const int bits : sizes) {
      to.push_back(batch_primes(bits, shape.n, 1, taken).at(0));
      taken.push_back(to.back());
    }
  };
  take(shape.plain, parameters.plain_primes);
  take(shape.data, parameters.data_primes);
  take(shape.special, parameters.special_primes);
  return make_batch_context(parameters);
}

inline Slots random_slots(const BatchContext& context, Prng& prng) {
  Slots slots(context.n());
  sample_uniform(prng, context.p().value(), slots);
  return slots;
}

inline std::uint64_t times(std::uint64_t x, std::uint64_t y, std::uint64_t p) {
  return static_cast<std::uint64_t>(static_cast<ring::Uint128>(x) * y % p);
}

/// Both rows to the left by `step`.
inline Slots rotated(const Slots& slots, int step) {
  const auto columns = static_cast<int>(slots.size() / 2);
  Slots result(slots.size());
  for (int row = 0; row < 2; ++row) {
    for (int i = 0; i < columns; ++i) {
      const int from = ((i + step) % columns + columns) % columns;
      result[static_cast<std::size_t>(row * columns + i)] =
          slots[static_cast<std::size_t>(row * columns + from)];
    }
  }
  return result;
}

inline Slots swapped(const Slots& slots) {
  Slots result(slots);
  std::rotate(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(slots.size() / 2), result.end());
  return result;
}

inline BatchCiphertext encrypt(const BatchSecretKey& key, const Slots& slots, Prng& prng) {
  return load_seeded(key.context, batch_encrypt(key, slots, prng));
}

inline Slots decrypt(const BatchSecretKey& key, const BatchCiphertext& x) {
  Slots slots(key.context->n());
  batch_decrypt(key, x, slots);
  return slots;
}

inline double variance_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

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

}  // namespace ap::bfv::oracle

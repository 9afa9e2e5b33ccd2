// Arrays of material in files: one after another, as they lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "layers/activation/ot/ot_products.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

inline void write_words(const mpc::RingWords& words, SecretWriter& out) {
  words.visit([&](const auto& array) { out.array(array); });
}

/// `count` words of a file, as RingWords holds them, reduced; memory is taken after the reader was found to hold them.
inline mpc::RingWords read_words(ByteReader& in, std::size_t count, int width) {
  const ByteView raw = in.raw(count * mpc::RingWords::bytes_each(width));
  mpc::RingWords words(count, width);
  words.visit([&]<typename Vector>(Vector& array) {
    using Word = typename Vector::value_type;
    if (count > 0) std::memcpy(array.data(), raw.data(), raw.size());
    for (Word& word : array) word &= static_cast<Word>(low_mask(width));
  });
  return words;
}

/// Body of loops over the arrays of a material: restores each.
struct RestoreArrays {
  ByteReader& in;
  template <typename Vector>
  void operator()(Vector& array, std::size_t size) const {
    array = read_array<Vector>(in, size);
  }
  void operator()(mpc::RingWords& words, std::size_t size, int width) const {
    words = read_words(in, size, width);
  }
};

}  // namespace ap::activation

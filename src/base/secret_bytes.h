// Writing of secrets to a byte string that is wiped when it is freed or grows, and reading of whole arrays.
// Words are written as they lie in memory, which is little endian on every machine that this runs on.
#pragma once

#include <bit>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "base/memory.h"

namespace ap {

static_assert(std::endian::native == std::endian::little);

using SecretBytes = SecretVector<std::uint8_t>;

class SecretWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(v); }
  void u64(std::uint64_t v) { array(std::span<const std::uint64_t>(&v, 1)); }
  /// The elements and nothing else: the reader knows how many there are.
  template <typename T>
  void array(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (values.empty()) return;
    const std::size_t at = out_.size();
    out_.resize(at + values.size_bytes());
    std::memcpy(out_.data() + at, values.data(), values.size_bytes());
  }
  template <typename Vector>
  void array(const Vector& values) {
    array(std::span<const typename Vector::value_type>(values));
  }
  const SecretBytes& bytes() const { return out_; }
  SecretBytes take() { return std::move(out_); }

 private:
  SecretBytes out_;
};

/// `count` elements that SecretWriter::array wrote; memory is taken after the reader was found to hold them.
template <typename Vector>
Vector read_array(ByteReader& in, std::size_t count) {
  using T = typename Vector::value_type;
  static_assert(std::is_trivially_copyable_v<T>);
  const ByteView raw = in.raw(count * sizeof(T));
  Vector values(count);
  if (count > 0) std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

}  // namespace ap

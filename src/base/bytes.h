// Writing and reading of the little-endian byte strings that cross the wire or lie in files. The reader never
// reads past its end, and never allocates more than its input can fill: every failure is an Error that names
// the object being read.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ap {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

class ByteWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(v); }
  void u16(std::uint16_t v) { put(v); }
  void u32(std::uint32_t v) { put(v); }
  void u64(std::uint64_t v) { put(v); }
  void f64(double v) { put(v); }
  void raw(ByteView bytes);
  /// Writes the length as u32, then the bytes.
  void string(std::string_view s) {
    u32(static_cast<std::uint32_t>(s.size()));
    raw({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()});
  }
  const Bytes& bytes() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  template <typename T>
  void put(T v) {
    std::uint8_t raw_bytes[sizeof(T)];
    std::memcpy(raw_bytes, &v, sizeof(T));
    raw(raw_bytes);
  }
  Bytes out_;
};

class ByteReader {
 public:
  /// `what` names the object in error messages ("package server.apm", "reply of layer conv1").
  /// `code` is ErrorCode::input for files and ErrorCode::peer for the wire.
  ByteReader(ByteView bytes, std::string what, ErrorCode code = ErrorCode::input)
      : bytes_(bytes), what_(std::move(what)), code_(code) {}

  std::uint8_t u8() { return get<std::uint8_t>(); }
  std::uint16_t u16() { return get<std::uint16_t>(); }
  std::uint32_t u32() { return get<std::uint32_t>(); }
  std::uint64_t u64() { return get<std::uint64_t>(); }
  double f64() { return get<double>(); }
  /// A view into the input, valid as long as the input is.
  ByteView raw(std::size_t count);
  std::string string(std::size_t max_bytes);
  std::size_t remaining() const { return bytes_.size() - at_; }
  /// Fails unless everything was read.
  void expect_end() const;

 private:
  template <typename T>
  T get() {
    T v;
    std::memcpy(&v, raw(sizeof(T)).data(), sizeof(T));
    return v;
  }
  ByteView bytes_;
  std::size_t at_ = 0;
  std::string what_;
  ErrorCode code_;
};

}  // namespace ap

// Byte strings as the standards print them.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ap::crypto {

inline std::string hex(ByteView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

inline Bytes from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(16 * digit(text[2 * i]) + digit(text[2 * i + 1]));
  }
  return bytes;
}

template <std::size_t kBytes>
std::array<std::uint8_t, kBytes> array_from_hex(std::string_view text) {
  const Bytes bytes = from_hex(text);
  std::array<std::uint8_t, kBytes> array{};
  std::copy_n(bytes.begin(), std::min(kBytes, bytes.size()), array.begin());
  return array;
}

inline ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The same bytes on every machine.
inline Bytes some_bytes(std::size_t count, std::uint64_t seed = 1) {
  Bytes bytes(count);
  std::uint64_t x = seed * 0x9e3779b97f4a7c15;
  for (std::uint8_t& byte : bytes) {
    x = x * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<std::uint8_t>(x >> 56);
  }
  return bytes;
}

}  // namespace ap::crypto

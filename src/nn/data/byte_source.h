// A file read front to back, decompressed on the way: xz (.xz) by liblzma, gzip by zlib, anything else as it
// is. Only what is asked for is decompressed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace ap::nn {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills as much of `out` as there is; less only at the end of the file.
  /// @throws Error(input) if the compressed stream is damaged or cut off.
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;
  /// Skips up to `count` bytes; returns how many there were.
  std::uint64_t skip(std::uint64_t count);
};

/// The compression is recognised by the first bytes, not by the name.
/// @throws Error(input) if the file cannot be opened.
std::unique_ptr<ByteSource> open_source(const std::filesystem::path& path);

}  // namespace ap::nn

// Whole files in and out. Writing goes to a temporary file beside the target that is synced and renamed, so
// that a crash leaves the old file or the new one, never half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"

namespace ap {

/// @throws Error(input) if the file cannot be read or is larger than max_bytes.
Bytes read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// The first `count` bytes of a file, or all if it has fewer.
/// @throws Error(input) if the file cannot be read.
Bytes read_start(const std::filesystem::path& path, std::size_t count);

/// Who may read a file that is written: its owner alone, or everyone whom the umask lets.
enum class Readers : std::uint8_t { owner, everyone };

/// The file has these readers also if there was one with others. What holds weights, or is derived from them,
/// is its owner's.
/// @throws Error(input) if the file cannot be written; the target is then unchanged.
void write_file(const std::filesystem::path& path, ByteView bytes, Readers readers = Readers::owner);

/// Whether the permissions let users other than the owner read it; false if there is no such file.
bool others_may_read(const std::filesystem::path& path);

}  // namespace ap

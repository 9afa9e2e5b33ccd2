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

/// @throws Error(input) if the file cannot be written; the target is then unchanged.
void write_file(const std::filesystem::path& path, ByteView bytes);

}  // namespace ap

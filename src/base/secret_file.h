// Secrets in files: tokens, keys, passwords.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/memory.h"

namespace ap {

/// All of a file that its owner alone may read and write, at most `most` bytes.
/// @throws Error(security) if others may do either, Error(input) if it cannot be read or is longer.
SecretVector<char> read_secret_file(const std::filesystem::path& path, std::uint64_t most);

}  // namespace ap

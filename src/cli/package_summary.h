// What a package is, in a few lines: for `inspect`, and of the memory for `compile` too.
#pragma once

#include <filesystem>
#include <string>

#include "app/memory.h"
#include "cli/common.h"

namespace ap::cli {

/// Whether a file begins as packages do.
bool is_package(const std::filesystem::path& path);
void inspect_package(const std::filesystem::path& path, bool json);

Json memory_of_parties_json(const app::Memory& memory);
/// A line.
std::string memory_of_parties_text(const app::Memory& memory);

}  // namespace ap::cli

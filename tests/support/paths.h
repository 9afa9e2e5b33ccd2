// Where the tests find the project. Compiled once, so that no other object depends on the folder it was built in
// and a compiler cache serves every clone.
#pragma once

#include <filesystem>

namespace ap::tests {

/// The project's folder.
std::filesystem::path source_dir();
/// Where the programs were built.
std::filesystem::path binary_dir();
/// Networks and images that are not part of the project: $AUTOPRIVACY_DATA, or ../shared/data beside it. May be
/// absent.
std::filesystem::path shared_data();

}  // namespace ap::tests

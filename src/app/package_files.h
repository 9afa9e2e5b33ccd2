// The packages in the folders that a server is given, as they lie there now.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ap::app {

/// Changes whenever a file is replaced or written to: inode, size, time in seconds and the rest in nanoseconds.
using FileStamp = std::array<std::int64_t, 4>;
/// All zero if there is no such file.
FileStamp stamp_of(const std::filesystem::path& file);

struct PackageFile {
  std::filesystem::path path;
  std::string
      name;  ///< "mnist" of FOLDER/mnist.apm and of FOLDER/mnist/server.apm, "mnist/v2" of FOLDER/mnist/v2.apm
  FileStamp stamp{};
};

inline constexpr std::size_t kMaxNetworks = 256;  ///< of one server

/// The files `sources` names, and of each folder among them every *.apm in it and in folders in it, sorted by path. Files
/// and folders whose names begin with a dot are left out, so that a file may be written under such a name and renamed.
/// @throws Error(input) if a source is neither, a folder cannot be read, or there are more than kMaxNetworks files.
std::vector<PackageFile> package_files(const std::vector<std::filesystem::path>& sources);

}  // namespace ap::app

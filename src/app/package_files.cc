#include "app/package_files.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"

namespace ap::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".apm";

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (!hidden(at->path())) found.push_back(at->path());
    if (found.size() > 64 * kMaxNetworks) break;
  }
  if (error) fail_input("cannot read the folder {}: {}", folder.string(), error.message());
  std::ranges::sort(found);
  return found;
}

void add(std::vector<PackageFile>& files, const fs::path& path, const fs::path& named) {
  fs::path name = named;
  name.replace_extension();
  if (name.filename() == "server" && name.has_parent_path()) name = name.parent_path();
  files.push_back({path, name.string(), stamp_of(path)});
  if (files.size() > kMaxNetworks)
    fail_input("{} is one package too many: a server has at most {}", path.string(), kMaxNetworks);
}

/// What a name ends with has to be a regular file: links lead to one.
bool is_package(const fs::path& path) {
  std::error_code ignored;
  return path.extension() == kEnding && fs::is_regular_file(path, ignored);
}

}  // namespace

FileStamp stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {static_cast<std::int64_t>(info.st_ino), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

std::vector<PackageFile> package_files(const std::vector<fs::path>& sources) {
  std::vector<PackageFile> files;
  std::error_code error;
  for (const fs::path& source : sources) {
    if (!fs::is_directory(source, error)) {
      if (!fs::exists(source, error))
        fail_input("cannot read {}: there is no such file or folder", source.string());
      const fs::path whole = fs::absolute(source, error);
      const bool plain = source.filename() == fs::path("server.apm");
      add(files, source, plain ? whole.parent_path().filename() / source.filename() : source.filename());
      continue;
    }
    for (const fs::path& path : entries(source)) {
      if (is_package(path)) add(files, path, path.filename());
      if (!fs::is_directory(path, error)) continue;
      for (const fs::path& inner : entries(path)) {
        if (is_package(inner)) add(files, inner, path.filename() / inner.filename());
      }
    }
  }
  std::ranges::sort(files, {}, &PackageFile::path);
  const auto [first, last] =
      std::ranges::unique(files, {}, [](const PackageFile& file) { return file.path; });
  files.erase(first, last);
  return files;
}

}  // namespace ap::app

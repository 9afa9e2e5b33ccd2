#include "base/system_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace ap {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A file that holds one number; "max" and absence are nothing.
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

/// Of the process's group and all above it, the least of limit - used.
std::optional<std::uint64_t> group_left(const char* limit, const char* used) {
  const std::string line = text_of("/proc/self/cgroup");
  const std::size_t at = line.find("0::");
  if (at == std::string::npos) return std::nullopt;
  const std::filesystem::path root = "/sys/fs/cgroup";
  std::filesystem::path group = root / line.substr(at + 4, line.find('\n', at) - at - 4);
  std::optional<std::uint64_t> least;
  for (;; group = group.parent_path()) {
    const auto most = number_in(group / limit), taken = number_in(group / used);
    if (most && taken) {
      const std::uint64_t left = *most > *taken ? *most - *taken : 0;
      least = std::min(least.value_or(left), left);
    }
    if (group == root || !group.has_relative_path()) return least;
  }
}

}  // namespace

std::optional<std::uint64_t> memory_line(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + ":")) continue;
    std::istringstream value(line.substr(name.size() + 1));
    std::uint64_t kib = 0;
    if (value >> kib) return kib * 1024;
  }
  return std::nullopt;
}

Descriptors descriptors() {
  Descriptors found;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) found.limit = limit.rlim_cur;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++found.open;
  if (found.open > 0) --found.open;  // the one of the listing itself
  return found;
}

std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> least = memory_line(text_of("/proc/meminfo"), "MemAvailable");
  const auto lower = [&](std::optional<std::uint64_t> value) {
    if (value) least = std::min(least.value_or(*value), *value);
  };
  lower(group_left("memory.max", "memory.current"));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const std::uint64_t taken = memory_line(text_of("/proc/self/status"), "VmSize").value_or(0);
    lower(limit.rlim_cur > taken ? limit.rlim_cur - taken : 0);
  }
  return least;
}

std::optional<std::uint64_t> available_threads() { return group_left("pids.max", "pids.current"); }

}  // namespace ap

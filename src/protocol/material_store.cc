#include "protocol/material_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "protocol/material_file.h"

namespace ap::protocol {
namespace {

constexpr std::string_view kReady = ".material", kPartial = ".partial", kClaimed = ".claimed";
constexpr std::size_t kHexBytes = 32;

std::uint64_t now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

std::string name_of(const MaterialId& id, std::string_view ending) {
  return to_hex(id) + std::string(ending);
}

/// Whether it is 32 hexadecimal digits and this ending.
bool is_named(const std::string& name, std::string_view ending) {
  return name.size() == kHexBytes + ending.size() && name.ends_with(ending) &&
         name.find_first_not_of("0123456789abcdef") == kHexBytes;
}

std::vector<std::string> names_in(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  std::vector<std::string> names;
  if (!stream) {
    if (copy >= 0) ::close(copy);
    return names;
  }
  while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
  return names;
}

int open_file(int directory, const std::string& name, int flags) {
  return ::openat(directory, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
}

}  // namespace

struct MaterialStore::Entry {
  std::string name;
  MaterialHeader header;
};

/// Of the whole directory, while it lives. Each has an open file description of its own, so that it holds
/// among threads too.
class MaterialStore::Lock {
 public:
  explicit Lock(const MaterialStore& store) : file_(open_file(store.fd_, "lock", O_RDWR | O_CREAT)) {
    int result = -1;
    if (file_.get() >= 0) {
      do result = ::flock(file_.get(), LOCK_EX);
      while (result != 0 && errno == EINTR);
    }
    if (result != 0)
      fail_input("cannot lock the store {}: {}", store.directory_.string(), std::strerror(errno));
  }

 private:
  FileDescriptor file_;
};

std::string to_hex(const MaterialId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

MaterialStore::MaterialStore(const std::filesystem::path& directory, package::Role role,
                             const package::PackageId& id, StoreOptions options)
    : directory_(directory), role_(role), package_(id), options_(std::move(options)) {
  if (directory_.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(directory_.parent_path(), error);
  }
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_input("cannot make the directory {}: {}", directory_.string(), std::strerror(errno));
  }
  fd_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd_ < 0) fail_input("cannot open the directory {}: {}", directory_.string(), std::strerror(errno));
  try {
    struct stat info {};
    if (::fstat(fd_, &info) != 0 || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
      fail_security(
          "{} holds secrets, but it is not yours alone; make it so (chmod 700) or give another directory",
          directory_.string());
    }
    const Lock lock(*this);
    remove_leftovers();
    remove_old(entries());
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

MaterialStore::~MaterialStore() { ::close(fd_); }

void MaterialStore::reached(const char* point) const {
  if (options_.reached) options_.reached(point);
}
void MaterialStore::notice(const std::string& sentence) const {
  if (options_.notice) options_.notice(sentence);
}
void MaterialStore::sync_directory(const char* doing) const {
  if (::fsync(fd_) != 0) fail_input("cannot {} in {}: {}", doing, directory_.string(), std::strerror(errno));
}

/// A file that is never to be read again. What cannot be wiped is still removed.
void MaterialStore::destroy(const std::string& name) {
  const FileDescriptor file(open_file(fd_, name, O_WRONLY));
  try {
    if (file.get() >= 0) wipe_material(file.get(), (directory_ / name).string());
  } catch (const Error& error) {
    notice(error.what());
  }
  ::unlinkat(fd_, name.c_str(), 0);
}

void MaterialStore::remove_leftovers() {
  std::size_t removed = 0;
  for (const std::string& name : names_in(fd_)) {
    if (!is_named(name, kPartial) && !is_named(name, kClaimed)) continue;
    destroy(name);
    ++removed;
  }
  if (removed > 0) {
    notice(fmt::format("removed {} stored inferences from {} that a crash had left half written or half used",
                       removed, directory_.string()));
  }
}

/// All files that have a header of this version, of whatever package.
std::vector<MaterialStore::Entry> MaterialStore::entries() {
  std::vector<Entry> found;
  for (const std::string& name : names_in(fd_)) {
    if (!is_named(name, kReady)) continue;
    const FileDescriptor file(open_file(fd_, name, O_RDONLY));
    if (file.get() < 0) continue;
    try {
      found.push_back({name, read_material_header(file.get(), name)});
    } catch (const Error&) {
      // claim() says what is wrong with it
    }
  }
  std::ranges::sort(found, {}, [](const Entry& e) { return std::pair(e.header.created, e.name); });
  return found;
}

/// Returns those that are left.
std::vector<MaterialStore::Entry> MaterialStore::remove_old(std::vector<Entry> entries) {
  const double limit = options_.max_days * 86'400;
  const std::uint64_t time = now();
  const std::size_t removed = std::erase_if(entries, [&](const Entry& entry) {
    const std::uint64_t age = time > entry.header.created ? time - entry.header.created : 0;
    if (static_cast<double>(age) <= limit) return false;
    destroy(entry.name);
    return true;
  });
  if (removed > 0) {
    notice(fmt::format("removed {} stored inferences older than {} days from {}", removed, options_.max_days,
                       directory_.string()));
  }
  return entries;
}

bool MaterialStore::fits(const std::vector<Entry>& entries, std::uint64_t payload_bytes) const {
  std::uint64_t bytes = payload_bytes + kMaterialHeaderBytes;
  for (const Entry& entry : entries) bytes += entry.header.payload_bytes + kMaterialHeaderBytes;
  return entries.size() < options_.max_inferences && bytes <= options_.max_bytes;
}

bool MaterialStore::has_room(std::uint64_t payload_bytes) {
  const Lock lock(*this);
  return fits(remove_old(entries()), payload_bytes);
}

bool MaterialStore::save(const MaterialId& id, ByteView payload) {
  const Lock lock(*this);
  const std::string ready = name_of(id, kReady), partial = name_of(id, kPartial);
  if (!fits(remove_old(entries()), payload.size())) return false;
  struct stat info {};
  if (::fstatat(fd_, ready.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return false;
  const FileDescriptor file(open_file(fd_, partial, O_RDWR | O_CREAT | O_EXCL));
  if (file.get() < 0)
    fail_input("cannot create {}: {}", (directory_ / partial).string(), std::strerror(errno));
  std::string name = partial;
  try {
    write_material(file.get(), (directory_ / partial).string(), {role_, package_, id, now(), payload.size()},
                   payload);
    reached("written");
    if (::renameat(fd_, partial.c_str(), fd_, ready.c_str()) != 0) {
      fail_input("cannot rename {}: {}", (directory_ / partial).string(), std::strerror(errno));
    }
    name = ready;
    reached("renamed");
    sync_directory("store an inference");
  } catch (...) {
    destroy(name);
    throw;
  }
  reached("stored");
  return true;
}

std::optional<SecretBytes> MaterialStore::claim(const MaterialId& id) {
  const Lock lock(*this);
  remove_old(entries());
  const std::string ready = name_of(id, kReady), claimed = name_of(id, kClaimed);
  const std::string where = (directory_ / ready).string();
  const FileDescriptor file(open_file(fd_, ready, O_RDWR));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail_input("cannot open {}: {}", where, std::strerror(errno));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & 077) != 0) {
    fail_input("{} is not a file of yours alone, so others may know its secrets; delete it", where);
  }
  const MaterialHeader header = read_material_header(file.get(), where);
  if (header.package != package_) {
    fail_input("{} was prepared with package {}, not with {}; use that package or delete it", where,
               package::to_hex(header.package), package::to_hex(package_));
  }
  if (header.role != role_) {
    fail_input("{} is the other party's half of an inference; each party keeps its own directory", where);
  }
  if (header.id != id) fail_input("{} was renamed; a stored inference keeps its name, delete it", where);

  // From here on it is lost if anything goes wrong.
  if (::renameat(fd_, ready.c_str(), fd_, claimed.c_str()) != 0) {
    if (errno == ENOENT) return std::nullopt;
    fail_input("cannot rename {}: {}", where, std::strerror(errno));
  }
  SecretBytes payload;
  try {
    sync_directory("claim an inference");
    reached("claimed");
    payload = read_material(file.get(), where);
    reached("read");
    wipe_material(file.get(), where);
    reached("wiped");
  } catch (...) {
    destroy(claimed);
    throw;
  }
  ::unlinkat(fd_, claimed.c_str(), 0);
  reached("removed");
  return payload;
}

std::vector<MaterialId> MaterialStore::ids() {
  const Lock lock(*this);
  std::vector<MaterialId> ids;
  for (const Entry& entry : remove_old(entries())) {
    const MaterialHeader& header = entry.header;
    if (header.role == role_ && header.package == package_ && entry.name == name_of(header.id, kReady))
      ids.push_back(header.id);
  }
  return ids;
}

}  // namespace ap::protocol

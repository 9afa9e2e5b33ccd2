#include "protocol/store/preprocessing_store.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "protocol/store/preprocessing_file.h"

namespace ap::protocol {
namespace {

constexpr std::uint64_t kSweepSeconds = 60;
constexpr std::size_t kDefaultShare = 4;  // one owner's part of the store is one in so many

std::string name_of(const PreprocessingId& id, std::string_view ending) {
  return to_hex(id) + std::string(ending);
}

}  // namespace

/// Of the whole directory, while it lives, among threads and processes. It knows whether the index is right:
/// the lock file holds a number that everybody who changes the directory counts up, and the directory's own
/// time tells of people who change it by hand.
class PreprocessingStore::Lock {
 public:
  explicit Lock(PreprocessingStore& store) : store_(store) {
    int error = 0;
    file_ = store.directory_->open("lock", Directory::Open::lock, error);
    if (!file_) fail_input("cannot lock the store {}: {}", store.name(), std::strerror(error));
    thread_ = std::unique_lock(store.mutex_);
    FileInfo info;
    right_ = read_generation() && store.directory_->info("", info) == 0 &&
             store.changed_ns_ == info.modified_ns && store.generation_ == generation_;
    if (!right_) store.changed_ns_ = -1;
  }
  ~Lock() {
    FileInfo info;
    store_.generation_ = generation_;
    store_.changed_ns_ = right_ && store_.directory_->info("", info) == 0 ? info.modified_ns : -1;
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Makes the index right. @throws Error(input) if the directory cannot be read.
  void refresh() {
    if (!right_) store_.index_.refresh(*store_.directory_);
    right_ = true;
  }
  /// The index may be wrong from here on.
  void distrust() { right_ = false; }

  /// Must come before the directory is changed. False if others cannot be told, or only by the directory's
  /// time.
  bool announce() {
    if (announced_) return true;
    std::array<std::uint8_t, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>((generation_ + 1) >> (8 * i));
    announced_ = write_all(*file_, bytes, 0) == 0;
    if (announced_) ++generation_;
    return announced_;
  }

 private:
  bool read_generation() {
    std::array<std::uint8_t, 8> bytes{};
    std::size_t got = 0;
    if (read_all(*file_, bytes, 0, got) != 0) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) generation_ |= std::uint64_t{bytes[i]} << (8 * i);
    return true;
  }

  PreprocessingStore& store_;
  std::unique_ptr<DirectoryFile> file_;
  std::unique_lock<std::mutex> thread_;
  std::uint64_t generation_ = 0;
  bool right_ = false;
  bool announced_ = false;
};

std::string to_hex(const PreprocessingId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

PreprocessingStore::PreprocessingStore(const std::filesystem::path& directory, Party role,
                                       const package::PackageId& id, StoreOptions options)
    : PreprocessingStore(open_directory(directory), role, id, std::move(options)) {}

PreprocessingStore::PreprocessingStore(std::unique_ptr<Directory> directory, Party role,
                                       const package::PackageId& id, StoreOptions options)
    : directory_(std::move(directory)), role_(role), package_(id), options_(std::move(options)) {
  FileInfo info;
  if (const int error = directory_->info("", info); error != 0)
    fail_input("cannot read the directory {}: {}", name(), std::strerror(error));
  if (!info.ours_alone) {
    fail_security(
        "{} holds secrets, but it is not yours alone; make it so (chmod 700) or give another directory",
        name());
  }
  if (options_.max_owner_inferences == 0)
    options_.max_owner_inferences = std::max<std::size_t>(options_.max_inferences / kDefaultShare, 1);
  Lock lock(*this);
  remove_leftovers(lock);
  sweep(lock);
}

std::uint64_t PreprocessingStore::now() const {
  if (options_.clock) return options_.clock();
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}
void PreprocessingStore::reached(const char* point) const {
  if (options_.reached) options_.reached(point);
}
void PreprocessingStore::notice(const std::string& sentence) const {
  if (options_.notice) options_.notice(sentence);
}
void PreprocessingStore::sync_directory(const char* doing) const {
  if (const int error = directory_->sync(); error != 0)
    fail_input("cannot {} in {}: {}", doing, name(), std::strerror(error));
}

/// A half that is never to be read again. It loses its name first, so that nobody takes what a crash leaves
/// of it for a damaged one. What cannot be wiped is still removed.
void PreprocessingStore::destroy(Lock& lock, const std::string& file_name) {
  lock.announce();
  std::string name_now = file_name;
  if (is_preprocessing_name(file_name, kReadyEnding)) {
    const std::string claimed =
        file_name.substr(0, file_name.size() - kReadyEnding.size()) + std::string(kClaimedEnding);
    if (directory_->rename(file_name, claimed) == 0) {
      index_.remove(file_name);
      name_now = claimed;
      // The name is gone for good before the bytes are: else a power cut could bring the name back to a half
      // of which a part is wiped. If it cannot be made sure, what is wiped is only taken for damaged.
      directory_->sync();
    }
  }
  int error = 0;
  if (const auto file = directory_->open(name_now, Directory::Open::write, error)) {
    try {
      wipe_preprocessing(*file, path_of(name_now));
    } catch (const Error& failure) {
      notice(failure.what());
    }
  }
  if (directory_->remove(name_now) == 0) {
    index_.remove(file_name);
  } else {
    lock.distrust();
  }
}

void PreprocessingStore::remove_leftovers(Lock& lock) {
  std::vector<std::string> names;
  if (const int error = directory_->list(names); error != 0)
    fail_input("cannot read the directory {}: {}", name(), std::strerror(error));
  std::size_t removed = 0;
  for (const std::string& file : names) {
    if (!is_preprocessing_name(file, kPartialEnding) && !is_preprocessing_name(file, kClaimedEnding))
      continue;
    destroy(lock, file);
    ++removed;
  }
  if (removed > 0) {
    notice(fmt::format("removed {} stored inferences from {} that a crash had left half written or half used",
                       removed, name()));
  }
}

bool PreprocessingStore::too_old(std::uint64_t created, const StoreOwner& owner) const {
  const double days = owner.kind == StoreOwner::Kind::address
                          ? std::min(options_.max_days, options_.max_anonymous_days)
                          : options_.max_days;
  const std::uint64_t time = now();
  return time > created && static_cast<double>(time - created) > days * 86'400;
}

/// At most once a minute, so that it costs nothing beside what a session does.
void PreprocessingStore::sweep(Lock& lock) {
  const std::uint64_t time = now();
  if (time >= swept_ && time - swept_ < kSweepSeconds) return;
  lock.refresh();
  std::vector<std::string> old;
  for (const auto& [file, half] : index_.halves()) {
    if (too_old(half.created, half.owner)) old.push_back(file);
  }
  for (const std::string& file : old) destroy(lock, file);
  swept_ = time;
  if (!old.empty())
    notice(fmt::format("removed {} stored inferences from {} that were too old", old.size(), name()));
}

Room PreprocessingStore::room_for(std::uint64_t payload_bytes, const StoreOwner& owner) const {
  const std::uint64_t bytes = payload_bytes + kPreprocessingHeaderBytes;
  if (owner.kind != StoreOwner::Kind::self) {
    const PreprocessingIndex::Sum theirs = index_.of(owner);
    const double part = static_cast<double>(options_.max_owner_inferences) /
                        static_cast<double>(std::max<std::size_t>(options_.max_inferences, 1));
    if (theirs.count >= options_.max_owner_inferences) return Room::owner_full;
    if (theirs.count > 0 &&
        static_cast<double>(theirs.bytes + bytes) > part * static_cast<double>(options_.max_bytes))
      return Room::owner_full;
  }
  const PreprocessingIndex::Sum all = index_.all();
  const bool fits = all.count < options_.max_inferences && all.bytes <= options_.max_bytes &&
                    bytes <= options_.max_bytes - all.bytes;
  return fits ? Room::yes : Room::full;
}

Room PreprocessingStore::room(std::uint64_t payload_bytes, const StoreOwner& owner) {
  Lock lock(*this);
  sweep(lock);
  lock.refresh();
  return room_for(payload_bytes, owner);
}

PreprocessingStore::Saved PreprocessingStore::save(const PreprocessingId& id, ByteView payload,
                                                   const StoreOwner& owner) {
  Lock lock(*this);
  sweep(lock);
  lock.refresh();
  const std::string ready = name_of(id, kReadyEnding), partial = name_of(id, kPartialEnding);
  if (index_.halves().contains(ready)) return Saved::known;
  if (const Room room = room_for(payload.size(), owner); room != Room::yes)
    return room == Room::full ? Saved::full : Saved::owner_full;
  if (!lock.announce()) fail_input("cannot write {}; is the disk full?", path_of("lock"));
  PreprocessingHeader header{role_, package_, id, now(), payload.size(), owner};
  int error = 0;
  const auto file = directory_->open(partial, Directory::Open::create, error);
  if (!file) fail_input("cannot create {}: {}", path_of(partial), std::strerror(error));
  std::string written = partial;
  try {
    write_preprocessing(*file, path_of(partial), header, payload);
    reached("written");
    if (error = directory_->rename(partial, ready); error != 0)
      fail_input("cannot rename {}: {}", path_of(partial), std::strerror(error));
    written = ready;
    reached("renamed");
    sync_directory("store an inference");
  } catch (...) {
    destroy(lock, written);
    throw;
  }
  index_.add(ready, {header.created, header.payload_bytes + kPreprocessingHeaderBytes, owner, true, role_,
                     package_, id});
  reached("stored");
  return Saved::done;
}

/// None if there is none. @throws Error(input) if it cannot be opened.
std::unique_ptr<DirectoryFile> PreprocessingStore::open_ready(const std::string& file_name) {
  int error = 0;
  auto file = directory_->open(file_name, Directory::Open::read_write, error);
  if (!file && error != ENOENT) fail_input("cannot open {}: {}", path_of(file_name), std::strerror(error));
  return file;
}

/// The header of a half that may be claimed. @throws Error(input) otherwise.
PreprocessingHeader PreprocessingStore::expect_ours(DirectoryFile& file, const PreprocessingId& id,
                                                    const std::string& where) const {
  FileInfo info;
  if (file.info(info) != 0 || !info.regular || !info.ours_alone) {
    fail_input("{} is not a file of yours alone, so others may know its secrets; delete it", where);
  }
  const PreprocessingHeader header = read_preprocessing_header(file, where);
  if (header.package != package_) {
    fail_input("{} was prepared with package {}, not with {}; use that package or delete it", where,
               package::to_hex(header.package), package::to_hex(package_));
  }
  if (header.role != role_) {
    fail_input("{} is the other party's half of an inference; each party keeps its own directory", where);
  }
  if (header.id != id) fail_input("{} was renamed; a stored inference keeps its name, delete it", where);
  return header;
}

/// The file of a half that can be used, with the lock held; null if there is none.
std::unique_ptr<DirectoryFile> PreprocessingStore::find(Lock& lock, const PreprocessingId& id) {
  const std::string ready = name_of(id, kReadyEnding);
  sweep(lock);
  auto file = open_ready(ready);
  if (!file) return nullptr;
  PreprocessingHeader header;
  try {
    header = expect_ours(*file, id, path_of(ready));
  } catch (const Error&) {  // it is not what the index says
    index_.remove(ready);
    lock.distrust();
    throw;
  }
  if (!too_old(header.created, header.owner)) return file;
  destroy(lock, ready);
  return nullptr;
}

/// Takes a half out of the store while `use` reads what is needed of it.
bool PreprocessingStore::take(const PreprocessingId& id,
                              const std::function<void(DirectoryFile&, const std::string&)>& use) {
  const std::string ready = name_of(id, kReadyEnding), claimed = name_of(id, kClaimedEnding);
  const std::string where = path_of(ready);
  // Most ids that do not exist end here, without a lock that others wait for.
  if (!open_ready(ready)) return false;
  Lock lock(*this);
  const auto file = find(lock, id);
  if (!file) return false;

  // From here on it is lost if anything goes wrong.
  lock.announce();
  if (const int error = directory_->rename(ready, claimed); error != 0) {
    if (error == ENOENT) return false;
    fail_input("cannot rename {}: {}", where, std::strerror(error));
  }
  index_.remove(ready);
  try {
    sync_directory("claim an inference");
    reached("claimed");
    use(*file, where);
    wipe_preprocessing(*file, where);
    reached("wiped");
  } catch (...) {
    destroy(lock, claimed);
    throw;
  }
  directory_->remove(claimed);
  reached("removed");
  return true;
}

std::optional<SecretBytes> PreprocessingStore::claim(const PreprocessingId& id) {
  SecretBytes payload;
  const bool taken = take(id, [&](DirectoryFile& file, const std::string& where) {
    payload = read_preprocessing(file, where);
    reached("read");
  });
  if (!taken) return std::nullopt;
  return payload;
}

std::optional<SecretBytes> PreprocessingStore::read(const PreprocessingId& id) {
  const std::string ready = name_of(id, kReadyEnding);
  if (!open_ready(ready)) return std::nullopt;
  Lock lock(*this);
  const auto file = find(lock, id);
  if (!file) return std::nullopt;
  try {
    SecretBytes payload = read_preprocessing(*file, path_of(ready));
    reached("read");
    return payload;
  } catch (const Error&) {
    lock.announce();
    index_.remove(ready);
    destroy(lock, ready);
    throw;
  }
}

bool PreprocessingStore::consume(const PreprocessingId& id) {
  return take(id, [](DirectoryFile&, const std::string&) {});
}

std::vector<PreprocessingId> PreprocessingStore::ids() {
  Lock lock(*this);
  sweep(lock);
  lock.refresh();
  std::vector<std::pair<std::uint64_t, PreprocessingId>> found;
  for (const auto& [file, half] : index_.halves()) {
    if (half.readable && half.role == role_ && half.package == package_ &&
        file == name_of(half.id, kReadyEnding))
      found.emplace_back(half.created, half.id);
  }
  std::sort(found.begin(), found.end());
  std::vector<PreprocessingId> ids;
  for (const auto& [created, id] : found) ids.push_back(id);
  return ids;
}

}  // namespace ap::protocol

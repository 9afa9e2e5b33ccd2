#include "tests/faults/disk.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "protocol/store/preprocessing_file.h"

namespace ap::faults {
namespace {

// What a disk writes whole or not at all. Smaller than a real sector, as the files of a test are.
constexpr std::size_t kSector = 64;

void put_at(Bytes& to, ByteView bytes, std::uint64_t offset) {
  if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
  std::ranges::copy(bytes, to.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

bool Disk::fails(double chance) {
  if (chance <= 0 || !World::running() || !world_.random.chance(chance)) return false;
  ++failures;
  return true;
}

int Disk::write(Inode& file, ByteView bytes, std::uint64_t offset, std::size_t& put) {
  put = 0;
  if (fails(faults.write)) return EIO;
  if (fails(faults.no_space)) return ENOSPC;
  put = bytes.size();
  if (put > 1 && World::running() && world_.random.below(16) == 0) put = 1 + world_.random.below(put - 1);
  const ByteView part = bytes.first(put);
  if (lies.wipe && offset == 0 && bytes.size() == protocol::kPreprocessingHeaderBytes &&
      std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; })) {
    put = bytes.size();
    return 0;
  }
  put_at(file.now, part, offset);
  file.pending.push_back({offset, Bytes(part.begin(), part.end())});
  file.modified_ms = world_.now_ms;
  return 0;
}

int Disk::read(const Inode& file, std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) {
  got = 0;
  if (fails(faults.read)) return EIO;
  if (offset >= file.now.size()) return 0;
  got = std::min<std::size_t>(bytes.size(), file.now.size() - offset);
  if (got > 1 && World::running() && world_.random.below(16) == 0) got = 1 + world_.random.below(got - 1);
  std::copy_n(file.now.begin() + static_cast<std::ptrdiff_t>(offset), got, bytes.begin());
  return 0;
}

int Disk::truncate(Inode& file, std::uint64_t bytes) {
  if (fails(faults.write)) return EIO;
  file.now.resize(bytes);
  // Sizes are names' business: they are journalled at once.
  file.durable.resize(std::min<std::size_t>(file.durable.size(), bytes));
  return 0;
}

int Disk::sync(Inode& file) {
  if (fails(faults.sync)) {
    lose_some(file);  // The kernel takes the pages for written, and what is read is still the new.
    return EIO;
  }
  if (lies.file_sync) return 0;
  file.durable = file.now;
  file.pending.clear();
  return 0;
}

int Disk::sync(Folder& folder) {
  if (fails(faults.sync)) return EIO;
  if (lies.directory_sync) return 0;
  folder.durable = folder.now;
  folder.pending.clear();
  return 0;
}

int Disk::create(Folder& folder, const std::string& name, File& file) {
  if (folder.now.contains(name)) return EEXIST;
  if (fails(faults.no_space)) return ENOSPC;
  file = folder.now[name] = std::make_shared<Inode>();
  file->modified_ms = folder.modified_ms = world_.now_ms;
  folder.pending.push_back({{}, name, file});
  return 0;
}

int Disk::rename(Folder& folder, const std::string& from, const std::string& to) {
  const auto found = folder.now.find(from);
  if (found == folder.now.end()) return ENOENT;
  if (fails(faults.rename)) return EIO;
  const File file = found->second;
  if (!lies.keep_renamed) folder.now.erase(found);
  folder.now[to] = file;
  folder.pending.push_back({lies.keep_renamed ? std::string() : from, to, file});
  folder.modified_ms = world_.now_ms;
  return 0;
}

int Disk::remove(Folder& folder, const std::string& name) {
  if (!folder.now.contains(name)) return ENOENT;
  if (fails(faults.rename)) return EIO;
  if (lies.no_removal) return 0;
  folder.now.erase(name);
  folder.pending.push_back({name, {}, {}});
  folder.modified_ms = world_.now_ms;
  return 0;
}

/// Of every write some sectors arrive, in whatever order; the size may be new where the bytes are not.
void Disk::lose_some(Inode& file) {
  for (const Inode::Write& write : file.pending) {
    std::uint64_t at = write.offset;
    const std::uint64_t end = write.offset + write.bytes.size();
    while (at < end) {
      const std::uint64_t next = std::min(end, (at / kSector + 1) * kSector);
      if (world_.random.chance(0.5)) {
        put_at(file.durable, ByteView(write.bytes).subspan(at - write.offset, next - at), at);
      }
      at = next;
    }
  }
  if (world_.random.chance(0.5) && file.durable.size() < file.now.size())
    file.durable.resize(file.now.size());
  file.pending.clear();
}

/// A journal keeps the changes up to some point; without one any of them may be there.
void Disk::lose_some(Folder& folder) {
  const bool journal = world_.random.chance(0.5);
  const std::uint64_t kept = world_.random.below(folder.pending.size() + 1);
  for (std::size_t i = 0; i < folder.pending.size(); ++i) {
    if (journal ? i >= kept : world_.random.chance(0.5)) continue;
    const Folder::Change& change = folder.pending[i];
    if (!change.removed.empty()) folder.durable.erase(change.removed);
    if (!change.added.empty()) folder.durable[change.added] = change.file;
  }
  folder.pending.clear();
}

void Disk::cut_power() {
  for (auto& [name, folder] : folders_) {
    lose_some(folder);
    folder.now = folder.durable;
    for (auto& [file_name, file] : folder.now) {
      lose_some(*file);
      file->now = file->durable;
      file->locks.clear();
    }
  }
}

namespace {

class SimulatedFile final : public DirectoryFile {
 public:
  SimulatedFile(Disk& disk, const Process& process, Disk::File file, bool writable)
      : disk_(disk), process_(process), file_(std::move(file)), writable_(writable) {}
  ~SimulatedFile() override {
    const auto held = file_->locks.find(&process_);
    if (held != file_->locks.end() && held->second == this) file_->locks.erase(held);
  }
  int read(std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) override {
    return disk_.world().step(process_) ? disk_.read(*file_, bytes, offset, got) : EIO;
  }
  int write(ByteView bytes, std::uint64_t offset, std::size_t& put) override {
    if (!writable_) return EBADF;
    return disk_.world().step(process_) ? disk_.write(*file_, bytes, offset, put) : EIO;
  }
  int sync() override { return disk_.world().step(process_) ? disk_.sync(*file_) : EIO; }
  int info(FileInfo& info) override {
    if (!disk_.world().step(process_)) return EIO;
    info = info_of(*file_);
    return 0;
  }
  static FileInfo info_of(const Disk::Inode& file) {
    return {file.now.size(), static_cast<std::int64_t>((1'700'000'000'000 + file.modified_ms) * 1'000'000),
            true, true};
  }
  /// Waits for whoever has it. Held until this is closed or its process is dead.
  int lock() {
    World& world = disk_.world();
    const auto free = [&] {
      return std::ranges::none_of(file_->locks, [&](const auto& held) {
        return !held.first->dead && (!disk_.lies.lock || held.first == &process_);
      });
    };
    if (World::running()) {
      try {
        world.wait([&] { return free() ? 0 : World::kNever; });
      } catch (const Stopped&) {
        return EIO;
      }
    } else if (!free()) {
      return EDEADLK;
    }
    if (!disk_.lies.lock) file_->locks.clear();
    file_->locks[&process_] = this;
    return 0;
  }

 private:
  Disk& disk_;
  const Process& process_;
  Disk::File file_;
  const bool writable_;
};

class SimulatedDirectory final : public Directory {
 public:
  SimulatedDirectory(Disk& disk, const Process& process, std::string name)
      : disk_(disk), process_(process), name_(std::move(name)), folder_(disk.folder(name_)) {}

  std::string name() const override { return name_; }
  std::unique_ptr<DirectoryFile> open(const std::string& file, Open how, int& error) override {
    error = EIO;
    if (!disk_.world().step(process_)) return nullptr;
    Disk::File inode;
    const auto found = folder_.now.find(file);
    if (found != folder_.now.end()) inode = found->second;
    error = 0;
    if (how == Open::create || (how == Open::lock && !inode)) error = disk_.create(folder_, file, inode);
    if (error == 0 && !inode) error = ENOENT;
    if (error != 0) return nullptr;
    auto opened = std::make_unique<SimulatedFile>(disk_, process_, inode, how != Open::read);
    if (how == Open::lock) error = opened->lock();
    if (error != 0) return nullptr;
    return opened;
  }
  int rename(const std::string& from, const std::string& to) override {
    return disk_.world().step(process_) ? disk_.rename(folder_, from, to) : EIO;
  }
  int remove(const std::string& file) override {
    return disk_.world().step(process_) ? disk_.remove(folder_, file) : EIO;
  }
  int sync() override { return disk_.world().step(process_) ? disk_.sync(folder_) : EIO; }
  int list(std::vector<std::string>& names) override {
    if (!disk_.world().step(process_)) return EIO;
    names.clear();
    for (const auto& [file, inode] : folder_.now) names.push_back(file);
    return 0;
  }
  int info(const std::string& file, FileInfo& info) override {
    if (!disk_.world().step(process_)) return EIO;
    if (file.empty()) {
      info = {0, static_cast<std::int64_t>((1'700'000'000'000 + folder_.modified_ms) * 1'000'000), true,
              false};
      return 0;
    }
    const auto found = folder_.now.find(file);
    if (found == folder_.now.end()) return ENOENT;
    info = SimulatedFile::info_of(*found->second);
    return 0;
  }

 private:
  Disk& disk_;
  const Process& process_;
  const std::string name_;
  Disk::Folder& folder_;
};

}  // namespace

std::unique_ptr<Directory> Disk::open(const std::string& name, const Process& process) {
  return std::make_unique<SimulatedDirectory>(*this, process, name);
}

}  // namespace ap::faults

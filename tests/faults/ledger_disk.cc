#include "tests/faults/ledger_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <mutex>

#include "tests/base/temporary_directory.h"
#include "tests/faults/disk.h"

namespace ap::faults {
namespace {

constexpr const char* kFolder = "ledger";

// Transactions are not interleaved: SQLite holds a lock of the program's while it works, and another of the
// program's tasks that waited for it would wait for ever, one task running at a time. So no lock of a file is
// ever found taken, and none is kept.
struct File {
  sqlite3_file base;
  Process* process;
  Disk::File* inode;
  bool sync_name;  ///< of a journal, with its content the first time, as SQLite does on POSIX systems whether
                   ///< it is new or not
};

bool alive(File& file) { return file.process->machine->disk.world().step(*file.process, false); }
File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
Disk& disk(File& file) { return file.process->machine->disk; }

int close(sqlite3_file* file) {
  delete of(file).inode;
  return SQLITE_OK;
}
int read(sqlite3_file* file, void* out, int bytes, sqlite3_int64 offset) {
  File& f = of(file);
  if (!alive(f)) return SQLITE_IOERR_READ;
  auto* to = static_cast<std::uint8_t*>(out);
  std::size_t done = 0;
  while (done < static_cast<std::size_t>(bytes)) {
    std::size_t got = 0;
    if (disk(f).read(**f.inode, {to + done, static_cast<std::size_t>(bytes) - done},
                     static_cast<std::uint64_t>(offset) + done, got) != 0)
      return SQLITE_IOERR_READ;
    if (got == 0) {
      std::memset(to + done, 0, static_cast<std::size_t>(bytes) - done);
      return SQLITE_IOERR_SHORT_READ;
    }
    done += got;
  }
  return SQLITE_OK;
}
int write(sqlite3_file* file, const void* in, int bytes, sqlite3_int64 offset) {
  File& f = of(file);
  const auto* from = static_cast<const std::uint8_t*>(in);
  std::size_t done = 0;
  while (done < static_cast<std::size_t>(bytes)) {
    if (!alive(f)) return SQLITE_IOERR_WRITE;
    std::size_t put = 0;
    const int error = disk(f).write(**f.inode, {from + done, static_cast<std::size_t>(bytes) - done},
                                    static_cast<std::uint64_t>(offset) + done, put);
    if (error != 0) return error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    done += put;
  }
  return SQLITE_OK;
}
int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  File& f = of(file);
  if (!alive(f)) return SQLITE_IOERR_TRUNCATE;
  return disk(f).truncate(**f.inode, static_cast<std::uint64_t>(bytes)) == 0 ? SQLITE_OK
                                                                             : SQLITE_IOERR_TRUNCATE;
}
int sync(sqlite3_file* file, int) {
  File& f = of(file);
  if (!alive(f) || disk(f).sync(**f.inode) != 0) return SQLITE_IOERR_FSYNC;
  if (f.sync_name) {
    if (!alive(f) || disk(f).sync(disk(f).folder(kFolder)) != 0) return SQLITE_IOERR_DIR_FSYNC;
    f.sync_name = false;
  }
  return SQLITE_OK;
}
int size(sqlite3_file* file, sqlite3_int64* bytes) {
  File& f = of(file);
  if (!alive(f)) return SQLITE_IOERR_FSTAT;
  *bytes = static_cast<sqlite3_int64>((*f.inode)->now.size());
  return SQLITE_OK;
}
int lock(sqlite3_file*, int) { return SQLITE_OK; }
int reserved(sqlite3_file*, int* taken) {
  *taken = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int what, void* argument) {
  if (what != SQLITE_FCNTL_HAS_MOVED) return SQLITE_NOTFOUND;
  *static_cast<int*>(argument) = 0;
  return SQLITE_OK;
}
int sector(sqlite3_file*) { return 512; }
int traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods kMethods = {1,       close,   read,     write,   truncate, sync,   size,
                                     lock,    lock,    reserved, control, sector,   traits, nullptr,
                                     nullptr, nullptr, nullptr,  nullptr, nullptr};

std::string last_part(const char* path) { return std::filesystem::path(path).filename().string(); }

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  File& f = of(file);
  f.base.pMethods = nullptr;
  f.sync_name = false;
  f.process = World::running();
  if (!f.process || !path || !alive(f)) return SQLITE_CANTOPEN;
  Disk::Folder& folder = disk(f).folder(kFolder);
  const std::string name = last_part(path);
  Disk::File inode;
  if (const auto found = folder.now.find(name); found != folder.now.end()) {
    inode = found->second;
  } else {
    // The ledger is there before SQLite opens it.
    const bool creates = (flags & SQLITE_OPEN_CREATE) != 0 || (flags & SQLITE_OPEN_MAIN_DB) != 0;
    if (!creates || disk(f).create(folder, name, inode) != 0) return SQLITE_CANTOPEN;
  }
  f.sync_name = (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0;
  f.inode = new Disk::File(inode);
  f.base.pMethods = &kMethods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}
int remove(sqlite3_vfs*, const char* path, int sync_folder) {
  Process* process = World::running();
  if (!process || !process->machine->disk.world().step(*process, false)) return SQLITE_IOERR_DELETE;
  Disk& d = process->machine->disk;
  if (d.remove(d.folder(kFolder), last_part(path)) != 0) return SQLITE_IOERR_DELETE;
  if (sync_folder != 0 && d.sync(d.folder(kFolder)) != 0) return SQLITE_IOERR_DIR_FSYNC;
  return SQLITE_OK;
}
int access(sqlite3_vfs*, const char* path, int, int* there) {
  const Process* process = World::running();
  *there = process && process->machine->disk.folder(kFolder).now.contains(last_part(path)) ? 1 : 0;
  return SQLITE_OK;
}
int full_path(sqlite3_vfs*, const char* path, int bytes, char* out) {
  sqlite3_snprintf(bytes, out, "%s", path);
  return SQLITE_OK;
}
int randomness(sqlite3_vfs*, int bytes, char* out) {
  if (!World::draw_entropy(out, static_cast<std::size_t>(bytes)))
    std::memset(out, 0, static_cast<std::size_t>(bytes));
  return bytes;
}
int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
int current_time(sqlite3_vfs*, double* day) {
  *day = 2'460'000.5;
  return SQLITE_OK;
}

}  // namespace

void put_sqlite_on_simulated_disks() {
  static std::once_flag once;
  std::call_once(once, [] {
    static sqlite3_vfs vfs{};
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(File);
    vfs.mxPathname = 512;
    vfs.zName = "simulated";
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep;
    vfs.xCurrentTime = current_time;
    sqlite3_vfs_register(&vfs, 1);
  });
}

std::string ledger_path() {
  static const TemporaryDirectory directory;
  static const std::string path = [] {
    const std::string file = (directory.path() / "ledger").string();
    ::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return file;
  }();
  return path;
}

}  // namespace ap::faults

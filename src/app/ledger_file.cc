#include "app/ledger_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace ap::app {
namespace {

constexpr int kBusyMilliseconds = 2'000;
// "APLG", so that no other program's database is taken for a ledger.
constexpr std::int64_t kApplication = 0x41504c47;
constexpr std::int64_t kVersion = 1;

/// Makes the file if it is not there, and refuses one that is not its owner's alone.
void check_file(const std::string& name, bool create) {
  const FileDescriptor file(
      ::open(name.c_str(), O_RDONLY | (create ? O_CREAT : 0) | O_CLOEXEC | O_NONBLOCK, 0600));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
    fail_input("cannot open the ledger {}: {}; give another place with --ledger", name, std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) fail_input("the ledger {} is not a regular file", name);
  if (info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
    fail_security(
        "the ledger {} limits what clients may learn, but it is not yours alone; make it so (chmod 600)",
        name);
  }
  if (create && (info.st_mode & 0600) != 0600) {
    fail_input("the ledger {} is read-only, so nothing could be counted; make it writable (chmod 600)", name);
  }
}

}  // namespace

LedgerFile::LedgerFile(const std::filesystem::path& file, bool create)
    : name_(file.empty() ? ":memory:" : file.string()) {
  if (!file.empty()) check_file(name_, create);
  sqlite3* database = nullptr;
  const int opened =
      sqlite3_open_v2(name_.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (opened != SQLITE_OK) fail();
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  execute("PRAGMA trusted_schema = OFF");
  execute("PRAGMA journal_mode = PERSIST");
  execute("PRAGMA synchronous = FULL");
  if (create) create_tables();
  if (number("PRAGMA application_id") != kApplication)
    fail_input("{} is no ledger; give another file", name_);
  if (const std::int64_t version = number("PRAGMA user_version"); version != kVersion) {
    fail_input("the ledger {} has version {}, this program reads {}; use a program of that version", name_,
               version, kVersion);
  }
  LedgerStatement check(*this, "PRAGMA quick_check(1)");
  if (!check.step() || check.text(0) != "ok") {
    fail_input("the ledger {} is damaged ({}); restore a copy, or begin a new one with --ledger", name_,
               check.text(0));
  }
}

void LedgerFile::create_tables() {
  LedgerTransaction transaction(*this);
  is_new_ = number("PRAGMA application_id") == 0 && number("SELECT count(*) FROM sqlite_master") == 0;
  if (!is_new_) return;
  execute(
      "CREATE TABLE prepared(client TEXT NOT NULL, package BLOB NOT NULL, promised INTEGER NOT NULL,"
      " used INTEGER NOT NULL CHECK(used >= 0), PRIMARY KEY(client, package)) WITHOUT ROWID");
  execute(
      "CREATE TABLE member(grp TEXT NOT NULL, client TEXT NOT NULL, PRIMARY KEY(grp, client)) WITHOUT ROWID");
  execute(fmt::format("PRAGMA application_id = {}", kApplication).c_str());
  execute(fmt::format("PRAGMA user_version = {}", kVersion).c_str());
  transaction.commit();
}

void LedgerFile::fail() const {
  const char* what = sqlite3_errmsg(database_.get());
  switch (sqlite3_errcode(database_.get()) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail_input("the ledger {} is locked by another program for more than {} s; end that program", name_,
                 kBusyMilliseconds / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
      fail_input("the ledger {} is damaged ({}); restore a copy, or begin a new one with --ledger", name_,
                 what);
    default:
      fail_input("the ledger {} cannot be written ({}); check free space and permissions", name_, what);
  }
}

void LedgerFile::expect_in_place() const {
  int moved = 0;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0) {
    fail_input("the ledger {} was removed or replaced while it was in use; start the server again", name_);
  }
}

void LedgerFile::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t LedgerFile::number(const char* sql) {
  LedgerStatement statement(*this, sql);
  if (!statement.step()) fail();
  return statement.number(0);
}

LedgerStatement::LedgerStatement(LedgerFile& file, const char* sql) : file_(file) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(file.database_.get(), sql, -1, &statement, nullptr));
  statement_.reset(statement);
}

void LedgerStatement::check(int result) const {
  if (result != SQLITE_OK) file_.fail();
}

LedgerStatement& LedgerStatement::bind(const std::string& text) {
  check(sqlite3_bind_text(statement_.get(), ++bound_, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT));
  return *this;
}
LedgerStatement& LedgerStatement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}
LedgerStatement& LedgerStatement::bind(ByteView blob) {
  check(sqlite3_bind_blob(statement_.get(), ++bound_, blob.data(), static_cast<int>(blob.size()),
                          SQLITE_TRANSIENT));
  return *this;
}

bool LedgerStatement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) file_.fail();
  return result == SQLITE_ROW;
}

std::string LedgerStatement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  return bytes ? reinterpret_cast<const char*>(bytes) : "";
}

Bytes LedgerStatement::blob(int column) const {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return bytes ? Bytes(bytes, bytes + sqlite3_column_bytes(statement_.get(), column)) : Bytes();
}

std::int64_t LedgerStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::uint64_t LedgerStatement::count(int column) const {
  const std::int64_t value = number(column);
  if (value < 0 || sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) {
    fail_input("the ledger {} is damaged (a count is no number from 0); restore a copy, or begin a new one",
               file_.name());
  }
  return static_cast<std::uint64_t>(value);
}

LedgerTransaction::~LedgerTransaction() {
  if (sqlite3_get_autocommit(file_.database_.get()) == 0) {
    sqlite3_exec(file_.database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace ap::app

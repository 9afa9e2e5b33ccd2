// The SQLite file of a ledger: opening, checking, statements and transactions, with every failure a sentence.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace ap::app {

class LedgerFile {
 public:
  /// Opens a ledger; one that does not exist is made if `create`. An empty name is a ledger in memory.
  /// @throws as Ledger's constructor.
  LedgerFile(const std::filesystem::path& file, bool create);

  bool is_new() const { return is_new_; }
  const std::string& name() const { return name_; }

  /// @throws Error(input) if the file was removed or replaced since it was opened.
  void expect_in_place() const;
  void execute(const char* sql);
  [[noreturn]] void fail() const;

 private:
  friend class LedgerStatement;
  friend class LedgerTransaction;
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::int64_t number(const char* sql);
  void create_tables();

  std::string name_;
  std::unique_ptr<sqlite3, Closer> database_;
  bool is_new_ = false;
};

/// One statement, its parameters numbered from 1 in the order of the calls of bind. All @throw Error(input).
class LedgerStatement {
 public:
  LedgerStatement(LedgerFile& file, const char* sql);
  LedgerStatement& bind(const std::string& text);
  LedgerStatement& bind(std::int64_t value);
  LedgerStatement& bind(ByteView blob);
  /// Runs the statement to its next row; false if there is none.
  bool step();
  std::string text(int column) const;
  Bytes blob(int column) const;
  std::int64_t number(int column) const;
  /// A count: a negative one is damage.
  std::uint64_t count(int column) const;

 private:
  void check(int result) const;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  LedgerFile& file_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bound_ = 0;
};

/// Excludes other writers from its beginning; undone unless committed.
class LedgerTransaction {
 public:
  explicit LedgerTransaction(LedgerFile& file) : file_(file) { file_.execute("BEGIN IMMEDIATE"); }
  ~LedgerTransaction();
  LedgerTransaction(const LedgerTransaction&) = delete;
  LedgerTransaction& operator=(const LedgerTransaction&) = delete;
  /// On disk once this returns.
  void commit() { file_.execute("COMMIT"); }

 private:
  LedgerFile& file_;
};

}  // namespace ap::app

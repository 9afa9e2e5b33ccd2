// Tables for a person: columns as wide as their widest cell, numbers to the right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ap::cli {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::right;
  };

  explicit Table(std::vector<Column> columns);
  /// One cell for each column. Cells may hold what a file or a peer says: they are made printable.
  void row(std::vector<std::string> cells);
  /// Every line ends with a newline and has no blanks before it.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "1.5 MB", "640 kB", "12 B": decimal units.
std::string format_bytes(double bytes);
/// "1.25 s", "340 ms", "2 min 05 s".
std::string format_seconds(double seconds);
/// "1,234,567".
std::string format_count(std::uint64_t count);

}  // namespace ap::cli

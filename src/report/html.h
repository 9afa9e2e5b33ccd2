// Pieces of HTML. Every string that comes from a file passes through escape(); nothing else may put text into
// a page.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ap::report {

/// Text for an element or a quoted attribute: the five special characters become references; control
/// characters, direction overrides and bytes that are not UTF-8 become U+FFFD; longer than `limit` characters
/// is cut with an ellipsis.
std::string escape(std::string_view text, std::size_t limit = 200);

/// `digits` significant digits, never an exponent between 1e-4 and 1e7: "0.00123", "12.3", "1234".
std::string number(double value, int digits = 3);
/// number, or an en dash for nothing.
std::string number(const std::optional<double>& value, int digits = 3);
/// "12.34" with `decimals` places, or an en dash.
std::string fixed(const std::optional<double>& value, int decimals);
/// "12.3 %" from 0.123.
std::string percent(const std::optional<double>& fraction, int decimals = 1);
/// "1.5 MB", "640 kB", "12 B".
std::string bytes(double count);

/// A table in a region that scrolls by itself on narrow screens, with its caption. The first column heads the
/// rows.
class HtmlTable {
 public:
  struct Column {
    std::string title;    ///< text
    bool numeric = true;  ///< to the right, in figures of equal width
  };
  HtmlTable(std::string caption, std::vector<Column> columns);
  /// One text for each column; escaped here.
  void row(const std::vector<std::string>& cells, std::string_view row_class = {});
  bool empty() const { return rows_.empty(); }
  std::string html() const;

 private:
  std::string caption_;
  std::vector<Column> columns_;
  std::string rows_;
};

/// A closed <details> with a summary: the data table of a figure.
std::string details(std::string_view summary, std::string_view inner_html);
/// <p class="source">: where figures come from. `text` is escaped.
std::string source_note(std::string_view text);

}  // namespace ap::report

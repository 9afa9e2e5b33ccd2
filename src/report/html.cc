#include "report/html.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace ap::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD", kDash = "\xE2\x80\x93", kEllipsis = "\xE2\x80\xA6";

struct Decoded {
  std::uint32_t point = 0;
  std::size_t length = 1;
  bool valid = false;
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t point = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {};
  return {point, length, true};
}

bool is_text(std::uint32_t point) {
  if (point == '\t' || point == '\n') return true;
  if (point < 0x20 || (point >= 0x7F && point < 0xA0)) return false;
  const bool direction = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
                         point == 0x200E || point == 0x200F;
  return !direction && (point & 0xFFFEU) != 0xFFFE;
}

}  // namespace

std::string escape(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == limit) return out += kEllipsis;
    const Decoded at = decode(text);
    if (!at.valid || !is_text(at.point)) {
      out += kReplacement;
    } else {
      switch (at.point) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\'':
          out += "&#39;";
          break;
        default:
          out += text.substr(0, at.length);
      }
    }
    text.remove_prefix(at.length);
  }
  return out;
}

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return std::string(kDash);
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size < 1e-4 || size >= 1e7) {
    // "1e-5" rather than "1e-05".
    std::string text = fmt::format("{:.{}e}", value, digits - 1);
    const std::size_t sign = text.find('e') + 1;
    if (text[sign] == '+') text.erase(sign, 1);
    const std::size_t exponent = text[sign] == '-' ? sign + 1 : sign;
    if (text[exponent] == '0') text.erase(exponent, 1);
    return text;
  }
  // Rounding may add a digit (9.996 is 10.0).
  const int before = static_cast<int>(std::floor(std::log10(size * (1 + 0.5 * std::pow(10, -digits))))) + 1;
  return fmt::format("{:.{}f}", value, std::max(0, digits - before));
}

std::string number(const std::optional<double>& value, int digits) {
  return value ? number(*value, digits) : std::string(kDash);
}

std::string fixed(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : std::string(kDash);
}

std::string percent(const std::optional<double>& fraction, int decimals) {
  return fraction ? fmt::format("{:.{}f} %", 100 * *fraction, decimals) : std::string(kDash);
}

std::string bytes(double count) {
  if (count >= 1e9) return number(count / 1e9) + " GB";
  if (count >= 1e6) return number(count / 1e6) + " MB";
  if (count >= 1e3) return number(count / 1e3) + " kB";
  return number(count) + " B";
}

HtmlTable::HtmlTable(std::string caption, std::vector<Column> columns)
    : caption_(std::move(caption)), columns_(std::move(columns)) {}

void HtmlTable::row(const std::vector<std::string>& cells, std::string_view row_class) {
  AP_ASSERT(cells.size() == columns_.size());
  rows_ += row_class.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row_class);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == 0) {
      rows_ += fmt::format("<th scope=\"row\">{}</th>", escape(cells[i]));
    } else {
      rows_ += fmt::format("<td{}>{}</td>", columns_[i].numeric ? " class=\"n\"" : "", escape(cells[i]));
    }
  }
  rows_ += "</tr>\n";
}

std::string HtmlTable::html() const {
  std::string head;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    head += fmt::format("<th scope=\"col\"{}>{}</th>", i > 0 && columns_[i].numeric ? " class=\"n\"" : "",
                        escape(columns_[i].title));
  }
  const std::string caption = escape(caption_, 400);
  return fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table><caption>{0}</caption>"
      "<thead><tr>{1}</tr></thead><tbody>\n{2}</tbody></table></div>\n",
      caption, head, rows_);
}

std::string details(std::string_view summary, std::string_view inner_html) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n", escape(summary), inner_html);
}

std::string source_note(std::string_view text) {
  return fmt::format("<p class=\"source\">{}</p>\n", escape(text, 2000));
}

}  // namespace ap::report

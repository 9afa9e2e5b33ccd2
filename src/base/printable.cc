#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace ap {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The character that `text`, not empty, begins with.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  // Longer than need be, half of a surrogate pair, or beyond the last character.
  const std::uint32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
  if (code < least || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return {};
  return {code, bytes, true};
}

bool is_safe(std::uint32_t code) {
  constexpr std::pair<std::uint32_t, std::uint32_t> kUnsafe[] = {
      {0x00, 0x1f},         // C0
      {0x7f, 0x9f},         // DEL and C1
      {0x61c, 0x61c},       // Arabic letter mark
      {0x200e, 0x200f},     // left-to-right and right-to-left mark
      {0x2028, 0x202e},     // separators of lines and paragraphs, embeddings and overrides of direction
      {0x2066, 0x2069},     // isolates of direction
      {0xfeff, 0xfeff},     // byte order mark
      {0xfff9, 0xfffb},     // interlinear annotations
      {0xe0000, 0xe007f}};  // tags
  return std::none_of(std::begin(kUnsafe), std::end(kUnsafe),
                      [&](const auto& range) { return code >= range.first && code <= range.second; });
}

}  // namespace

std::string printable(std::string_view text, Newlines newlines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_of(text);
    const std::string_view bytes = text.substr(0, c.bytes);
    if ((c.valid && is_safe(c.code)) || (newlines == Newlines::kept && bytes == "\n")) {
      out += bytes;
    } else {
      for (const char byte : bytes) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(byte));
      }
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string printable_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Character c = first_of(json);
    // Newlines and such stand between values only; inside strings JSON itself forbids them.
    if (!c.valid || c.code < 0x20 || is_safe(c.code)) {
      out += c.valid ? json.substr(0, c.bytes) : std::string_view("\xef\xbf\xbd");
    } else if (c.code < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.code);
    } else {
      const std::uint32_t rest = c.code - 0x10000;
      fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10),
                     0xdc00 + (rest & 0x3ff));
    }
    json.remove_prefix(c.bytes);
  }
  return out;
}

}  // namespace ap

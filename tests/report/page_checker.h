// A strict reading of our own pages: every element closed, quoted attributes, known references, unique ids.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ap::report::test {

/// The first thing that is wrong with a page, or empty.
inline std::string problem_of(std::string_view html) {
  static const std::set<std::string, std::less<>> kVoid = {"meta", "br"};
  std::vector<std::string> open;
  std::set<std::string> ids;
  const auto around = [&](std::size_t at) { return " at: " + std::string(html.substr(at, 80)); };
  const auto check_text = [&](std::string_view text) {
    for (std::size_t i = text.find('&'); i != std::string_view::npos; i = text.find('&', i + 1)) {
      const std::string_view rest = text.substr(i);
      bool known = false;
      for (const std::string_view name : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
        known |= rest.starts_with(name);
      if (!known) return false;
    }
    return text.find('>') == std::string_view::npos;
  };
  std::size_t at = html.starts_with("<!doctype html>\n") ? 16 : 0;
  if (at == 0) return "no doctype";
  while (at < html.size()) {
    if (html[at] != '<') {
      const std::size_t end = std::min(html.find('<', at), html.size());
      // The style sheet is the one element whose text is not ours to escape.
      if ((open.empty() || open.back() != "style") && !check_text(html.substr(at, end - at)))
        return "text" + around(at);
      at = end;
      continue;
    }
    std::size_t i = at + 1;
    const bool closes = i < html.size() && html[i] == '/';
    i += closes;
    const std::size_t name_end = html.find_first_of(" />\n", i);
    if (name_end == std::string_view::npos) return "an unfinished element" + around(at);
    const std::string name(html.substr(i, name_end - i));
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos) {
      return "element name" + around(at);
    }
    if (name == "script" || name == "iframe" || name == "object" || name == "link" || name == "img")
      return name + around(at);
    i = name_end;
    bool self_closed = false;
    while (i < html.size() && html[i] != '>') {
      if (html[i] == '/') {
        self_closed = true;
        ++i;
        continue;
      }
      if (html[i] == ' ' || html[i] == '\n') {
        ++i;
        continue;
      }
      const std::size_t equals = html.find('=', i);
      if (equals == std::string_view::npos || equals + 1 >= html.size() || html[equals + 1] != '"') {
        return "attribute" + around(at);
      }
      const std::string attribute(html.substr(i, equals - i));
      if (attribute.starts_with("on")) return "event handler" + around(at);
      const std::size_t quote = html.find('"', equals + 2);
      if (quote == std::string_view::npos) return "attribute value" + around(at);
      const std::string_view value = html.substr(equals + 2, quote - equals - 2);
      if (value.find('<') != std::string_view::npos || !check_text(value))
        return "attribute value" + around(at);
      if (attribute == "id" && !ids.insert(std::string(value)).second) return "a second id" + around(at);
      if ((attribute == "href" || attribute == "src") && !value.starts_with("#"))
        return "loads something" + around(at);
      i = quote + 1;
    }
    if (i >= html.size()) return "an unfinished element" + around(at);
    if (closes) {
      if (open.empty() || open.back() != name) return "closes " + name + around(at);
      open.pop_back();
    } else if (!self_closed && !kVoid.contains(name)) {
      // These would be closed by the browser where we do not expect it.
      if (name == "p" && !open.empty() && open.back() == "p") return "p in p" + around(at);
      open.push_back(name);
    }
    at = i + 1;
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace ap::report::test

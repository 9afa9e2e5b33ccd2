#include "net/websocket/url.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "base/error.h"

namespace ap::net {

std::string ServerUrl::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

ServerUrl parse_server_url(const std::string& url) {
  constexpr std::string_view kScheme = "wss://";
  if (!url.starts_with(kScheme)) {
    fail_input("\"{}\" is no server address: it must look like wss://host:port", url);
  }
  std::string_view rest = std::string_view(url).substr(kScheme.size());
  ServerUrl parsed;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) parsed.path = rest.substr(slash);
  rest = rest.substr(0, slash);

  std::string_view port;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos)
      fail_input("\"{}\" has an IPv6 address without its closing bracket", url);
    parsed.host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
  } else {
    const std::size_t colon = rest.find(':');
    parsed.host = rest.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon);
  }
  const auto part_of_url = [](unsigned char c) { return std::isgraph(c) && c != '@' && c != '#'; };
  if (parsed.host.empty() || parsed.host.size() > 253 || !std::ranges::all_of(parsed.host, part_of_url) ||
      !std::ranges::all_of(parsed.path, part_of_url)) {
    fail_input("\"{}\" has no usable host or path: it must look like wss://host:port", url);
  }
  if (port.empty()) return parsed;
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, parsed.port);
  if (port[0] != ':' || error != std::errc() || stop != end || parsed.port == 0) {
    fail_input("\"{}\" has no usable port: it must be a number from 1 to 65535", url);
  }
  return parsed;
}

}  // namespace ap::net

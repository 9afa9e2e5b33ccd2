// Where a server listens, as a person writes it.
#pragma once

#include <cstdint>
#include <string>

namespace ap::app {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
/// Parses "host:port", "[::1]:port" or ":port" (every interface). @throws Error(input)
HostPort parse_listen(const std::string& text);

}  // namespace ap::app

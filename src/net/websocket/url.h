// The address of a server, as a person types it.
#pragma once

#include <cstdint>
#include <string>

namespace ap::net {

struct ServerUrl {
  std::string host;  ///< name or address, an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string path = "/";
  /// host:port as in an HTTP Host field.
  std::string authority() const;
};

/// Parses wss://host[:port][/path]. @throws Error(input) naming what is wrong.
ServerUrl parse_server_url(const std::string& url);

}  // namespace ap::net

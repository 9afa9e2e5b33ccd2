// Pages on the port of a WebSocket server: what it answers to a GET that is no upgrade, if it was given something to
// answer with. Clients of the protocol notice nothing of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ap::net {

/// A request as it came, not checked in any way. Valid during the call.
struct PageRequest {
  std::string_view method, target;  ///< "GET", "/client.apm?x=1"
  std::string_view encodings;       ///< Accept-Encoding
  std::string_view known;           ///< If-None-Match
};

/// An answer. Its body is shared by all that are being sent.
struct Page {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides length and connection
  std::shared_ptr<const std::vector<std::uint8_t>> body;     ///< none: an empty one
  bool only_head = false;  ///< the body's length is said, and the body is not sent (HEAD)
};

/// Called on a thread of the network, which it must not hold up; may throw, which ends the one connection.
using PageSource = std::function<Page(const PageRequest&)>;

}  // namespace ap::net

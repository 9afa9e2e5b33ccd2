#include "app/listen_address.h"

#include <charconv>

#include "base/error.h"

namespace ap::app {

HostPort parse_listen(const std::string& text) {
  HostPort result;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    fail_input("\"{}\" is no HOST:PORT to listen on; an example is 127.0.0.1:9000", text);
  result.host = text.substr(0, colon);
  if (result.host.size() >= 2 && result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
  } else if (result.host.find(':') != std::string::npos) {
    fail_input("\"{}\" is no HOST:PORT to listen on; write an IPv6 address as [::1]:9000", text);
  }
  if (result.host.empty()) result.host = "0.0.0.0";
  const char* first = text.data() + colon + 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, result.port);
  if (error != std::errc() || end != last) {
    fail_input("\"{}\" is no HOST:PORT to listen on; the port must be a number from 0 to 65535", text);
  }
  return result;
}

}  // namespace ap::app

#include "net/websocket/client_address.h"

#include <fmt/format.h>

#include <algorithm>

namespace ap::net {

std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  boost::system::error_code error;
  const std::string host = endpoint.address().to_string(error);
  if (error) return "an unknown address";
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

std::string address_unit(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  if (address.is_v4()) return address.to_v4().to_string();
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_string();
  ip::address_v6::bytes_type bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace ap::net

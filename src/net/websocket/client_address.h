// Where a client comes from, in words and as the unit that limits and summaries count by.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace ap::net {

/// host:port, with brackets around an IPv6 address.
std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

/// An IPv4 address as it is ("192.0.2.7"; also one that is mapped into IPv6), an IPv6 address as its /64
/// network
/// ("2001:db8:1:2::/64"), since one subscriber has all of that.
std::string address_unit(const boost::asio::ip::address& address);

}  // namespace ap::net

#include "service/store_owner.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace ap::service {
namespace {

/// HOST of "... HOST:PORT" or "... [HOST%SCOPE]:PORT".
std::string host_of(const std::string& peer) {
  std::string host = peer.substr(peer.rfind(' ') + 1);
  host = host.substr(0, host.rfind(':'));
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return host.substr(0, host.find('%'));
}

std::string network_of(const std::string& peer) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::string host = host_of(peer);
  std::array<std::uint8_t, 16> v6{};
  std::array<std::uint8_t, 4> v4{};
  const auto text = [](auto first, auto last) { return std::string(first, last); };
  if (::inet_pton(AF_INET, host.c_str(), v4.data()) == 1) return text(v4.begin(), v4.end());
  if (::inet_pton(AF_INET6, host.c_str(), v6.data()) != 1) return {};
  if (std::equal(kMapped.begin(), kMapped.end(), v6.begin())) return text(v6.begin() + 12, v6.end());
  return text(v6.begin(), v6.begin() + 8);
}

}  // namespace

protocol::StoreOwner store_owner(const Client& client, const std::string& peer) {
  using Kind = protocol::StoreOwner::Kind;
  if (!client.name.empty()) return protocol::make_owner(Kind::client, client.name);
  return protocol::make_owner(Kind::address, network_of(peer));
}

}  // namespace ap::service

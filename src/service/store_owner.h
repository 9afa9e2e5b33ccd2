// Whom a server counts stored inferences for: a client by its name, anybody else by network address.
#pragma once

#include <string>

#include "protocol/store_owner.h"
#include "service/clients.h"

namespace ap::service {

/// @param peer  net::Channel::peer(): "... HOST:PORT" or "... [HOST]:PORT", HOST a numeric address. Of an
/// IPv6
///              address the first 64 bits count, which one customer has; of an IPv4 address, also one mapped
///              into IPv6, all. What is no such text counts as one owner.
protocol::StoreOwner store_owner(const Client& client, const std::string& peer);

}  // namespace ap::service

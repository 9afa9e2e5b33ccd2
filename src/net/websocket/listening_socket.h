// The socket that a server listens on.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_descriptor.h"

namespace ap::net {

/// Bound to the first address of `host` that can be, listening, not blocking; port 0 takes any free port.
/// @throws Error(input) if the host is unknown or the port is taken.
FileDescriptor listen_on(const std::string& host, std::uint16_t port);

}  // namespace ap::net

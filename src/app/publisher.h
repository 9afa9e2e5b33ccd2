// The key of whoever publishes packages, as people give it.
#pragma once

#include <optional>
#include <string>

#include "package/minisign.h"

namespace ap::app {

/// The public key in a .pub file of minisign, or in the text itself (its line); nothing if the text is empty.
/// @throws Error(input) if it is neither.
std::optional<package::PublicKey> publisher_from(const std::string& text);

}  // namespace ap::app

// The two parties of every protocol here.
#pragma once

#include <cstdint>

namespace ap {

/// The client holds the image, the server the weights. The numbers are those of package files.
enum class Party : std::uint8_t { client = 1, server = 2 };

}  // namespace ap

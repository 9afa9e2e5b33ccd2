// BLAKE2b-256 of named, delimited parts: every use has a tag of its own, and the length goes before each
// part, so that no two inputs of different structure give the same bytes to the hash. Used where a random
// oracle is assumed.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/bytes.h"
#include "random/prng.h"

namespace ap {

/// @param tag  names the use; a constant of the caller's
Seed tagged_hash(std::string_view tag, std::initializer_list<ByteView> parts);

}  // namespace ap

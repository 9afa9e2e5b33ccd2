// Seeds that stand for a test case.
#pragma once

#include "random/prng.h"

namespace ap {

inline Seed tagged(std::uint8_t tag) {
  Seed seed{};
  seed[31] = tag;
  return seed;
}

}  // namespace ap

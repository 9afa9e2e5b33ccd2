// Products of sizes that follow from the numbers of a file or of the other party. Where std::size_t has 32 bits, as in
// WebAssembly, they may exceed it, and a size that has wrapped would pass every check of what may be allocated.
#pragma once

#include <cstddef>

#include "base/error.h"

namespace ap {

/// a b. @throws Error(input) where std::size_t cannot hold it.
inline std::size_t size_product(std::size_t a, std::size_t b) {
  std::size_t product;
  if (__builtin_mul_overflow(a, b, &product)) {
    fail_input(
        "{} times {} bytes are more than the addresses of this machine reach; use a 64-bit machine or a smaller "
        "network",
        a, b);
  }
  return product;
}

/// a + b. @throws Error(input) where std::size_t cannot hold it.
inline std::size_t size_sum(std::size_t a, std::size_t b) {
  std::size_t sum;
  if (__builtin_add_overflow(a, b, &sum)) {
    fail_input(
        "{} and {} bytes are more than the addresses of this machine reach; use a 64-bit machine or a smaller "
        "network",
        a, b);
  }
  return sum;
}

}  // namespace ap

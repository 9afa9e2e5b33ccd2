#include "he/bfv/wire.h"

#include <gtest/gtest.h>

#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

TEST(Wire, WideValuesRoundTrip) {
  Prng prng(oracle::seed(3));
  for (const int bits : {1, 20, 63, 64, 65, 99, 120}) {
    for (const std::size_t count : {0, 1, 7, 100}) {
      std::vector<ring::Uint128> values(count), back(count);
      for (ring::Uint128& v : values) {
        v = (static_cast<ring::Uint128>(prng.next64()) << 64 | prng.next64()) >> (128 - bits);
      }
      Bytes bytes(wide_bytes(count, bits));
      EXPECT_LE(bytes.size(), (count * static_cast<std::size_t>(bits) + 7) / 8 + 1);
      pack_wide(values, bits, bytes);
      unpack_wide(bytes, bits, back);
      EXPECT_TRUE(back == values) << bits;
    }
  }
}

}  // namespace
}  // namespace ap::bfv

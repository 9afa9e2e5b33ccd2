#include "mpc/ot/lpn_kernels.h"

#include <cstring>

namespace ap::mpc::kernels {
void lpn_rows_plain(std::span<const Block> secret, const Block* numbers, std::span<Block> rows) {
  std::uint32_t uniform[kMaxLpnRows * kLpnWeight];
  std::memcpy(uniform, numbers, rows.size() * kLpnWeight * sizeof(std::uint32_t));
  const std::uint32_t* number = uniform;
  for (Block& row : rows) {
    Block sum = row;
    for (std::size_t j = 0; j < kLpnWeight; ++j) sum ^= secret[lpn_index(*number++, secret.size())];
    row = sum;
  }
}

}  // namespace ap::mpc::kernels

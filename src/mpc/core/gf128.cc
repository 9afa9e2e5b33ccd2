#include "mpc/core/gf128.h"

#include "base/cpu.h"

namespace ap::mpc {

Block gf_multiply(const Block& a, const Block& b) {
  static const auto kernel = cpu().clmul ? kernels::gf_multiply_clmul : kernels::gf_multiply_plain;
  return kernel(a, b);
}

Block gf_power(const Block& x, std::uint32_t exponent, int bits) {
  const Block one{1, 0};
  Block power = one;
  for (int bit = bits - 1; bit >= 0; --bit) {
    power = gf_multiply(power, power);
    power = gf_multiply(power, one ^ ((one ^ x) & mask_of((exponent >> bit) & 1)));
  }
  return power;
}

GfPowers::GfPowers(const Block& x) {
  Block* end = falling + kCount;
  end[-1] = {1, 0};
  for (int i = 2; i <= 4; ++i) end[-i] = gf_multiply(end[1 - i], x);
  if (cpu().vclmul) {
    kernels::gf_more_powers_vclmul(*this);
  } else {
    for (Block* power = end - 4; power-- > falling;) *power = gf_multiply(power[1], x);
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t sum = falling[i].lo ^ falling[i].hi;
    folded[i] = {sum, sum};
  }
  next = gf_multiply(falling[0], x);
}

Block gf_hash(const Block* in, std::size_t count, const GfPowers& x) {
  static const auto kernel = cpu().vclmul  ? kernels::gf_hash_vclmul
                             : cpu().clmul ? kernels::gf_hash_clmul
                                           : kernels::gf_hash_plain;
  return kernel(in, count, x);
}

namespace kernels {

Block gf_multiply_plain(const Block& a, const Block& b) {
  Block product{0, 0};
  Block shifted = a;
  for (int i = 0; i < 128; ++i) {
    product ^= shifted & mask_of(((i < 64 ? b.lo : b.hi) >> (i % 64)) & 1);
    const std::uint64_t carry = shifted.hi >> 63;
    shifted = {(shifted.lo << 1) ^ (0x87 & (0 - carry)), (shifted.hi << 1) | (shifted.lo >> 63)};
  }
  return product;
}

Block gf_hash_plain(const Block* in, std::size_t count, const GfPowers& x) {
  Block sum{0, 0};
  for (std::size_t i = 0; i < count; ++i) sum = gf_multiply_plain(sum, x.x()) ^ in[i];
  return sum;
}

}  // namespace kernels
}  // namespace ap::mpc

#include "mpc/core/gf128.h"

#include <algorithm>

#include "base/cpu.h"

namespace ap::mpc {

Block gf_multiply(const Block& a, const Block& b) {
  static const auto kernel = [] {
#if defined(__x86_64__)
    if (cpu().clmul) return kernels::gf_multiply_clmul;
#endif
    return kernels::gf_multiply_plain;
  }();
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
  static const auto more_powers = [] {
#if defined(__x86_64__)
    if (cpu().vclmul) return kernels::gf_more_powers_vclmul;
#endif
    return kernels::gf_more_powers_plain;
  }();
  more_powers(*this);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t sum = falling[i].lo ^ falling[i].hi;
    folded[i] = {sum, sum};
  }
  next = gf_multiply(falling[0], x);
}

Block gf_hash(const Block* in, std::size_t count, const GfPowers& x) {
  static const auto kernel = [] {
#if defined(__x86_64__)
    if (cpu().vclmul) return kernels::gf_hash_vclmul;
    if (cpu().clmul) return kernels::gf_hash_clmul;
#endif
    return kernels::gf_hash_plain;
  }();
  return kernel(in, count, x);
}

namespace {

// Carry-less products by multiplications of integers, after Pornin's GHASH for 64-bit machines (BearSSL): of
// the operands only every fourth bit is kept, so that the ones that meet in a column of the low 64 bits, 16
// at most, carry into columns that are masked away, or out of the word.
constexpr std::uint64_t kEveryFourth = 0x1111111111111111;

/// The low 64 bits of a sum of carry-less products: of part[i] the bits i mod 4 count.
struct LowHalf {
  std::uint64_t part[4] = {};
};

void add_low(LowHalf& sum, std::uint64_t x, std::uint64_t y) {
  std::uint64_t a[4], b[4];
  for (int i = 0; i < 4; ++i) {
    a[i] = x & (kEveryFourth << i);
    b[i] = y & (kEveryFourth << i);
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) sum.part[(i + j) % 4] ^= a[i] * b[j];
  }
}

std::uint64_t joined(const LowHalf& sum) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= sum.part[i] & (kEveryFourth << i);
  return bits;
}

std::uint64_t reversed(std::uint64_t x) {
  x = ((x >> 1) & 0x5555555555555555) | ((x & 0x5555555555555555) << 1);
  x = ((x >> 2) & 0x3333333333333333) | ((x & 0x3333333333333333) << 2);
  x = ((x >> 4) & 0x0f0f0f0f0f0f0f0f) | ((x & 0x0f0f0f0f0f0f0f0f) << 4);
  return __builtin_bswap64(x);
}

/// A sum of unreduced products: of the low words, of the high ones, and of both's sums (Karatsuba). The upper
/// half of a product is the lower half of that of the reversed factors, reversed.
struct ProductSum {
  LowHalf low[3], reversed_high[3];

  void add(const Block& x, const Block& y) {
    const std::uint64_t a[3] = {x.lo, x.hi, x.lo ^ x.hi}, b[3] = {y.lo, y.hi, y.lo ^ y.hi};
    std::uint64_t c[3] = {reversed(x.lo), reversed(x.hi)}, d[3] = {reversed(y.lo), reversed(y.hi)};
    c[2] = c[0] ^ c[1];
    d[2] = d[0] ^ d[1];
    for (int i = 0; i < 3; ++i) {
      add_low(low[i], a[i], b[i]);
      add_low(reversed_high[i], c[i], d[i]);
    }
  }

  Block reduced() const {
    std::uint64_t lower[3], upper[3];
    for (int i = 0; i < 3; ++i) {
      lower[i] = joined(low[i]);
      upper[i] = reversed(joined(reversed_high[i])) >> 1;
    }
    std::uint64_t word[4] = {lower[0], upper[0] ^ lower[2] ^ lower[0] ^ lower[1],
                             lower[1] ^ upper[2] ^ upper[0] ^ upper[1], upper[1]};
    for (int i = 3; i >= 2; --i) {  // x^128 = x^7 + x^2 + x + 1
      word[i - 2] ^= word[i] ^ (word[i] << 1) ^ (word[i] << 2) ^ (word[i] << 7);
      word[i - 1] ^= (word[i] >> 63) ^ (word[i] >> 62) ^ (word[i] >> 57);
    }
    return {word[0], word[1]};
  }
};

}  // namespace

namespace kernels {

Block gf_multiply_plain(const Block& a, const Block& b) {
  ProductSum product;
  product.add(a, b);
  return product.reduced();
}

Block gf_hash_plain(const Block* in, std::size_t count, const GfPowers& x) {
  constexpr std::size_t kStep = GfPowers::kCount;
  Block sum{0, 0};
  // A first step that is short takes the lowest powers; the sum is zero until then.
  for (std::size_t now = count % kStep ? count % kStep : std::min(count, kStep); count > 0; now = kStep) {
    ProductSum products;
    products.add(sum, x.next);
    const Block* power = x.falling + kStep - now;
    for (std::size_t i = 0; i < now; ++i) products.add(in[i], power[i]);
    sum = products.reduced();
    in += now;
    count -= now;
  }
  return sum;
}

void gf_more_powers_plain(GfPowers& powers) {
  const Block x = powers.x();
  for (std::size_t i = GfPowers::kCount - 4; i-- > 0;)
    powers.falling[i] = gf_multiply(powers.falling[i + 1], x);
}

}  // namespace kernels
}  // namespace ap::mpc

// The hash of garbling: TMMO of Guo, Katz, Wang, Yu, "Efficient and Secure Multiparty Computation from
// Fixed-Key Block Ciphers" (eprint 2019/074, section 7.4):
//   H(x, i) = pi(pi(x) xor i) xor pi(x),   pi = AES-128 under a fixed public key.
// In the ideal-permutation model it is tweakable circular correlation robust: H(x xor R, i) looks random for
// a secret R even beside H(.) xor R, provided that (x, i) repeats only as the caller's scheme allows.
// Half-gates need every gate to have tweaks of its own, which is why the tweak is a counter of the whole
// session.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/block.h"

namespace ap::mpc {

/// out[i] = H(in[i], tweak + i) for i < count; `in` may equal `out`. Runs on VAES, AES-NI or the portable
/// twin.
void hash_blocks(const Block* in, std::uint64_t tweak, Block* out, std::size_t count);

/// The fixed permutation pi on `count` blocks, by the same choice of kernels.
void permute_blocks(const Block* in, Block* out, std::size_t count);

/// The kernels by name, for the tests that compare them; call only those that cpu() offers.
namespace kernels {
using HashKernel = void (*)(const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
using PermuteKernel = void (*)(const Block* in, Block* out, std::size_t count);
void hash_plain(const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void hash_aesni(const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void hash_vaes(const Block* in, std::uint64_t tweak, Block* out, std::size_t count);
void permute_plain(const Block* in, Block* out, std::size_t count);
void permute_aesni(const Block* in, Block* out, std::size_t count);
void permute_vaes(const Block* in, Block* out, std::size_t count);
}  // namespace kernels

/// The public key of pi: the first 128 bits of the fraction of the number pi, a constant nobody chose.
inline constexpr std::uint8_t kFixedKey[16] = {0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3,
                                               0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44};

}  // namespace ap::mpc

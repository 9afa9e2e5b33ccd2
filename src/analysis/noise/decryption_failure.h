// What a decryption error does to a layer packed for SIMD: the client reads a message polynomial that is off
// by +-1 in one coefficient (two wrong coefficients are so rare that they are left out), and as slots are
// values of that polynomial at all N roots, every slot of the reply is off by another power of a root: a
// wrong value modulo p.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ap::noise {

/// Where one reply keeps one output of its layer.
struct SlotRead {
  std::uint32_t slot = 0, output = 0;
};

/// The decryption errors of one layer.
struct DecryptionFailures {
  int node = 0;
  std::uint64_t p = 0;  ///< prime, 1 mod 2n
  std::uint32_t n = 0;
  double rate = 0;  ///< probability that a reply decrypts wrongly
  std::vector<std::vector<SlotRead>> replies;
};

/// The slots (two rows of n / 2, as bfv::decode_slots orders them) of the polynomial X^coefficient modulo p.
std::vector<std::uint64_t> monomial_slots(std::uint64_t p, std::uint32_t n, std::size_t coefficient);

/// value modulo p, in [-(p-1)/2, (p-1)/2]; p odd and below 2^62.
std::int64_t centred(std::int64_t value, std::uint64_t p);

/// Lets each reply fail by chance and spoils its outputs in `values`, centred modulo p. Random numbers depend
/// on `key` and the reply alone. Returns how many replies failed.
std::size_t inject_decryption_failures(const DecryptionFailures& layer, std::uint64_t key,
                                       std::span<std::int32_t> values);

}  // namespace ap::noise

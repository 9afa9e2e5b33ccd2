// The only source of randomness: AES-256 in counter mode under a 32-byte seed (NIST SP 800-90A's CTR idea
// without reseeding), expanded at the speed of AES-NI. The same seed and stream give the same bytes on every
// machine: seeded uploads rely on it, so the format is frozen by a known-answer test.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/memory.h"

namespace ap {

using Seed = std::array<std::uint8_t, 32>;

/// Fresh 256 bits by getrandom(2). Not by a library's generator, whose state lives in the process: two copies
/// of one virtual machine would draw equal seeds from it until it reseeds, while a kernel that is told of the
/// copy (vmgenid) reseeds at once. Waits, early after a boot, until the kernel has collected enough.
/// @throws Error(internal) if the kernel refuses.
Seed random_seed();

class Prng {
 public:
  /// Byte string number `stream` of this seed. Different streams of one seed are independent.
  explicit Prng(const Seed& seed, std::uint64_t stream = 0);
  /// A generator with a fresh seed.
  Prng();
  ~Prng();
  Prng(Prng&&) noexcept;
  Prng& operator=(Prng&&) noexcept;

  void fill(std::span<std::uint8_t> out);
  void fill(std::span<std::uint64_t> out);
  std::uint64_t next64();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Uniform in [0, modulus), by rejection (the number of draws depends on discarded values only).
void sample_uniform(Prng& prng, std::uint64_t modulus, std::span<std::uint64_t> out);
/// Uniform in [0, 2^bits), bits 1..64.
void sample_bits(Prng& prng, int bits, std::span<std::uint64_t> out);
/// Uniform in {-1, 0, 1}; constant time given the number of draws.
void sample_ternary(Prng& prng, std::span<std::int8_t> out);
/// Centred binomial with eta = 21: sigma = sqrt(21/2) = 3.24; constant time.
void sample_error(Prng& prng, std::span<std::int8_t> out);
inline constexpr double kErrorSigma = 3.2403703492039303;

}  // namespace ap

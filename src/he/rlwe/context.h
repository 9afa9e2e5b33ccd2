// RLWE over Z[X]/(X^N + 1) in residue number system form, what every scheme of src/he shares: a chain of data primes
// with product Q, of which a ciphertext of level l has the first l, and special primes with product P that only keys
// have (hybrid key switching, he/rlwe/key_switch.h). What plaintexts are and how they are scaled is the scheme's
// (he/bfv); a scheme's context derives from this one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "ring/base_convert.h"
#include "ring/elementwise.h"
#include "ring/ntt.h"

namespace ap::rlwe {

inline constexpr std::uint32_t kMinDegree = 1024, kMaxDegree = 65536;
inline constexpr int kMinPrimeBits = 13, kMaxPrimeBits = 60;
/// Of data primes, and of special primes.
inline constexpr std::size_t kMaxPrimes = 64;

/// Plain data. All primes are distinct, of 13 to 60 bits, and 1 modulo 2N; those of at most 50 bits have the fastest
/// kernels.
struct Parameters {
  std::uint32_t n = 0;                     ///< ring degree N, a power of two from 1024 to 65536
  std::vector<std::uint64_t> data_primes;  ///< q_1 .. q_L with product Q; levels drop the last ones
  std::vector<std::uint64_t>
      special_primes;  ///< product P, only in keys; may be empty, then the gadget is digits alone
  std::uint32_t digits =
      0;  ///< key switching takes the data primes in this many groups; 0: one prime a group

  /// Data primes a digit (alpha), all but the last digit full.
  std::size_t digit_primes() const;
  double log2_q() const;
  /// Bits of Q P: what security::require_secure must be asked about if key-switching keys are published.
  double log2_qp() const;
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

/// At most `count` of the largest primes below 2^bits that are 1 mod 2n and not in `taken`, largest first.
/// @throws Error(input) if an argument is out of range.
std::vector<std::uint64_t> free_primes(int bits, std::uint32_t n, std::size_t count,
                                       std::span<const std::uint64_t> taken = {});
/// Exactly `count` of them. @throws Error(input) if there are not so many.
std::vector<std::uint64_t> primes(int bits, std::uint32_t n, std::size_t count,
                                  std::span<const std::uint64_t> taken = {});

/// @throws Error(input) that names the first of `primes` that is not a prime of min_bits to max_bits that is 1 modulo
/// 2n, or that is in `taken`; `name` says which primes these are. Adds them to `taken`.
void check_primes(std::span<const std::uint64_t> primes, std::uint32_t n, int min_bits, int max_bits,
                  std::string_view name, std::set<std::uint64_t>& taken);

/// What depends on how many data primes are left.
struct Level {
  /// One group of primes and its extension to the other primes of the level, then to the special primes.
  struct Digit {
    std::size_t first, count;
    ring::BaseConverter extend;
  };
  double log2_q = 0;
  std::vector<Digit> digits;
  std::optional<ring::ScaleDown> drop_special;           ///< division by P; none without special primes
  std::optional<ring::ScaleDown> drop_special_and_last;  ///< by P and the last prime; none at level 1
};

/// Everything precomputed for one parameter set; immutable. Polynomials are stored residue after residue: the N values
/// of prime 0, then those of prime 1. Polynomials of keys have all data primes, then all special primes.
class Context {
 public:
  /// @throws Error(input) that names the parameter that is wrong, and the limit. Security is the caller's to ask.
  explicit Context(const Parameters& parameters);

  const Parameters& parameters() const { return parameters_; }
  std::size_t n() const { return parameters_.n; }
  std::size_t data() const { return parameters_.data_primes.size(); }
  std::size_t special() const { return parameters_.special_primes.size(); }
  std::size_t digits() const { return level(data()).digits.size(); }
  /// Values of a polynomial with all data primes, and of one of a key.
  std::size_t data_words() const { return data() * n(); }
  std::size_t key_words() const { return (data() + special()) * n(); }

  /// Data primes, then special primes.
  const ring::NttTables& tables(std::size_t i) const { return tables_[i]; }
  const ring::Modulus& modulus(std::size_t i) const { return tables_[i].modulus(); }
  const ring::NttTables& special_tables(std::size_t i) const { return tables_[data() + i]; }
  std::vector<ring::Modulus> moduli(std::size_t first, std::size_t count) const;
  /// P modulo data prime i; 1 without special primes.
  const ring::FixedFactor& special_product(std::size_t i) const { return special_products_[i]; }

  /// 1 <= primes <= data().
  const Level& level(std::size_t primes) const { return levels_[primes - 1]; }

  /// The N values of prime i (an index into `polynomial`).
  template <typename T>
  std::span<T> part(std::span<T> polynomial, std::size_t i) const {
    return polynomial.subspan(i * n(), n());
  }

 private:
  Level make_level(std::size_t primes) const;

  Parameters parameters_;
  std::vector<ring::NttTables> tables_;
  std::vector<ring::FixedFactor> special_products_;
  std::vector<Level> levels_;
};

using ContextPtr = std::shared_ptr<const Context>;

}  // namespace ap::rlwe

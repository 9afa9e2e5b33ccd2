// For the files that switch keys: the digits of a polynomial modulo a few primes at a time, and their products with a
// key. Primes are counted over those of the level, then the special ones.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "he/rlwe/context.h"
#include "he/rlwe/key_switch.h"
#include "ring/scratch.h"

namespace ap::rlwe {

/// Base conversion takes so many outputs at once.
inline constexpr std::size_t kPrimesTogether = 4;

/// body(first, count) for runs of at most kPrimesTogether of the primes [first, last), on all cores if there is much to do;
/// as many runs for each core.
void for_prime_runs(const Context& context, std::size_t first, std::size_t last,
                    const std::function<void(std::size_t, std::size_t)>& body);

/// The digits of one polynomial in NTT form, which must outlive this.
class Digits {
 public:
  Digits(const Context& context, std::span<const std::uint64_t> polynomial, std::size_t level);

  const Context& context() const { return context_; }
  std::size_t count() const { return digits_.size(); }
  /// Whether prime i is one of digit d, which then lies in the polynomial.
  bool own(std::size_t d, std::size_t i) const {
    return i >= digits_[d].first && i < digits_[d].first + digits_[d].count;
  }
  const std::uint64_t* original(std::size_t i) const { return context_.part(polynomial_, i).data(); }
  /// Digit d modulo primes first .. first + count - 1, in NTT form: to to[k], or nowhere if that prime is its own.
  void extend(std::size_t d, std::size_t first, std::size_t count, std::uint64_t* const* to) const;

  /// Where digit d modulo prime i is, after `load` of a run of primes with i among them.
  class Run {
   public:
    explicit Run(const Digits& digits);
    void load(std::size_t first, std::size_t count);
    const std::uint64_t* at(std::size_t d, std::size_t i) const;

   private:
    const Digits& digits_;
    std::size_t n_, first_ = 0;
    ring::Scratch values_;
  };
  Run run() const { return Run(*this); }

 private:
  const Context& context_;
  std::span<const std::uint64_t> polynomial_;
  std::size_t level_;
  const std::vector<Level::Digit>& digits_;
  std::vector<ring::BaseConverter::Prepared> prepared_;
};

/// The same of digits that are kept.
class StoredDigits {
 public:
  StoredDigits(const Context& context, const Decomposition& digits);
  std::size_t count() const { return digits_.digits.size(); }
  class Run {
   public:
    Run(std::size_t n, const Decomposition& digits) : n_(n), digits_(digits) {}
    void load(std::size_t, std::size_t) {}
    const std::uint64_t* at(std::size_t d, std::size_t i) const { return digits_.digits[d].data() + i * n_; }

   private:
    std::size_t n_;
    const Decomposition& digits_;
  };
  Run run() const { return {n_, digits_}; }

 private:
  std::size_t n_;
  const Decomposition& digits_;
};

/// What sums begin with: factor times (c0, c1), each N values below the prime, or nullptr for zero.
struct SumStart {
  const std::uint64_t* c0;
  const std::uint64_t* c1;
  std::uint64_t factor;
};
/// (sum0, sum1) = start + sum_d digits[d] (b_d, a_d) modulo prime `prime` of the key's context.
void digit_products(const KeySwitchKey& key, std::size_t prime, std::span<const std::uint64_t* const> digits,
                    const SumStart& start, std::span<std::uint64_t> sum0, std::span<std::uint64_t> sum1);

}  // namespace ap::rlwe

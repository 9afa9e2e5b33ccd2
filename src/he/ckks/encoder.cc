#include "he/ckks/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/declassify.h"
#include "base/error.h"
#include "ring/crt.h"

namespace ap::ckks {
namespace {

using ring::Int128;
using ring::Uint128;

// Doubles lose less than a quarter of a unit, over all their butterflies, up to this size of a coefficient.
constexpr int kFastBits = 45;
constexpr int kComposedBits = 120;

DoubleDouble to_real(Int128 x, DoubleDouble /*type*/) {
  const auto high = static_cast<std::int64_t>(x >> 62);
  const auto low = static_cast<std::int64_t>(static_cast<Uint128>(x) & ((Uint128{1} << 62) - 1));
  const auto whole = [](std::int64_t v) {
    return DoubleDouble::sum(static_cast<double>(v >> 31) * 2147483648.0,
                             static_cast<double>(v & 0x7fffffff));
  };
  return scaled(whole(high), 62) + whole(low);
}
double to_real(Int128 x, double /*type*/) { return static_cast<double>(x); }

// To nearest; |x| < 2^kMaxCoefficientBits.
Int128 to_integer(double x) { return static_cast<Int128>(std::llrint(x)); }
Int128 to_integer(const DoubleDouble& x) {
  // Cut in steps of 2^50: each difference is exact, each part fits 64 bits.
  const double top = std::nearbyint(std::ldexp(x.high, -50));
  const DoubleDouble rest = x - DoubleDouble(std::ldexp(top, 50));
  const double middle = std::nearbyint(rest.high);
  const double bottom = std::nearbyint((rest - DoubleDouble(middle)).high);
  return static_cast<Int128>(std::llrint(top)) * (Int128{1} << 50) + std::llrint(middle) +
         std::llrint(bottom);
}

double high_part(double x) { return x; }
double high_part(const DoubleDouble& x) { return x.high; }
double as_real(const DoubleDouble& x, double /*type*/) { return x.high + x.low; }
DoubleDouble as_real(const DoubleDouble& x, DoubleDouble /*type*/) { return x; }

double largest(std::span<const std::complex<double>> slots) {
  double most = 0;
  for (const std::complex<double>& slot : slots) {
    // A NaN stays: it is not below anything.
    const double size = std::abs(slot.real()) + std::abs(slot.imag());
    most = size <= most ? most : size;
  }
  return most;
}

Slots complex_slots(std::span<const double> slots) { return {slots.begin(), slots.end()}; }

}  // namespace

Encoder::Encoder(rlwe::ContextPtr context) : Encoder(context, UnitRoots(2 * context->n())) {}
Encoder::Encoder(rlwe::ContextPtr context, const UnitRoots& roots)
    : context_(std::move(context)), precise_(max_slots(), roots), fast_(max_slots(), roots) {}

std::size_t Encoder::checked_slots(std::size_t slots) const {
  if (!std::has_single_bit(slots) || slots > max_slots()) {
    fail_input("{} slots cannot be packed into a ring of degree {}: take a power of two from 1 to {}", slots,
               context_->n(), max_slots());
  }
  return slots;
}

template <typename Real>
Integers Encoder::rounded(const SpecialFft<Real>& fft, std::span<const std::complex<double>> slots,
                          const Scale& scale) const {
  const std::size_t count = slots.size(), gap = max_slots() / count;
  SecretVector<Real> re(count), im(count);
  for (std::size_t j = 0; j < count; ++j) {
    re[j] = Real(slots[j].real());
    im[j] = Real(slots[j].imag());
  }
  fft.inverse(re, im);
  const Real factor = as_real(scale.value(), Real());
  double most = 0;
  for (std::size_t j = 0; j < count; ++j) {
    re[j] = re[j] * factor;
    im[j] = im[j] * factor;
    most = std::max({most, std::abs(high_part(re[j])), std::abs(high_part(im[j]))});
  }
  const bool fits = most < std::ldexp(1.0, kMaxCoefficientBits - 1);
  declassify(fits);
  if (!fits) {
    fail_input("values of up to 2^{:.1f} at the scale {} need coefficients of more than {} bits",
               std::log2(largest(slots)), scale.text(), kMaxCoefficientBits);
  }
  Integers integers(context_->n());
  for (std::size_t j = 0; j < count; ++j) {
    integers[j * gap] = to_integer(re[j]);
    integers[j * gap + max_slots()] = to_integer(im[j]);
  }
  return integers;
}

Integers Encoder::coefficients(std::span<const std::complex<double>> slots, const Scale& scale) const {
  checked_slots(slots.size());
  const double most = largest(slots);
  const double bits = std::log2(most) + scale.log2();
  // Coefficients are means of slots times roots of unity, so no larger than the largest slot.
  const bool finite = std::isfinite(most), fast = bits < kFastBits;
  declassify(finite);
  declassify(fast);
  if (!finite) fail_input("a slot is not a finite number, and cannot be encoded");
  return fast ? rounded(fast_, slots, scale) : rounded(precise_, slots, scale);
}

Integers Encoder::coefficients(std::span<const double> slots, const Scale& scale) const {
  return coefficients(std::span<const std::complex<double>>(complex_slots(slots)), scale);
}

Plaintext Encoder::encode(std::span<const Int128> integers, std::size_t level, const Scale& scale) const {
  const rlwe::Context& context = *context_;
  if (level < 1 || level > context.data()) {
    fail_input("a plaintext of {} primes cannot be made in a context of {}", level, context.data());
  }
  AP_ASSERT(integers.size() == context.n());
  Int128 most = 0;
  for (const Int128 x : integers) most = std::max({most, x, -x});
  const double bits = std::log2(static_cast<double>(most)), room = context.level(level).log2_q - 1;
  const bool fits = bits < room;
  declassify(fits);
  if (!fits) {
    fail_input("coefficients of {:.1f} bits at the scale {} do not fit the {:.1f} bits of {} primes", bits,
               scale.text(), room, level);
  }
  rlwe::Plaintext polynomial(context, level);
  const rlwe::AddCoefficients add = add_coefficients(context, integers);
  for (std::size_t i = 0; i < level; ++i) {
    add(i, polynomial.part(i));
    context.tables(i).forward(polynomial.part(i));
  }
  return {context_, std::move(polynomial), scale};
}

Plaintext Encoder::encode(std::span<const std::complex<double>> slots, std::size_t level,
                          const Scale& scale) const {
  return encode(std::span<const Int128>(coefficients(slots, scale)), level, scale);
}
Plaintext Encoder::encode(std::span<const double> slots, std::size_t level, const Scale& scale) const {
  return encode(std::span<const Int128>(coefficients(slots, scale)), level, scale);
}

template <typename Real>
Slots Encoder::transformed(const SpecialFft<Real>& fft, std::span<const Int128> integers, std::size_t slots,
                           const Scale& scale) const {
  const std::size_t gap = max_slots() / slots;
  const Real factor = as_real(DoubleDouble(1.0) / scale.value(), Real());
  SecretVector<Real> re(slots), im(slots);
  for (std::size_t j = 0; j < slots; ++j) {
    re[j] = to_real(integers[j * gap], Real()) * factor;
    im[j] = to_real(integers[j * gap + max_slots()], Real()) * factor;
  }
  fft.forward(re, im);
  Slots result(slots);
  for (std::size_t j = 0; j < slots; ++j) {
    result[j] = {static_cast<double>(re[j]), static_cast<double>(im[j])};
  }
  return result;
}

Slots Encoder::decode(std::span<const Int128> integers, std::size_t slots, const Scale& scale) const {
  checked_slots(slots);
  AP_ASSERT(integers.size() == context_->n());
  // By the scale alone, which is public: where it is small, so is what 53 bits lose.
  return scale.log2() < kFastBits ? transformed(fast_, integers, slots, scale)
                                  : transformed(precise_, integers, slots, scale);
}

Slots Encoder::decode(const Plaintext& plaintext, std::size_t slots) const {
  AP_ASSERT(plaintext.context() == context_);
  SecretVector<std::uint64_t> residues(plaintext.level() * context_->n());
  for (std::size_t i = 0; i < plaintext.level(); ++i) {
    const std::span<std::uint64_t> part = context_->part(std::span(residues), i);
    std::copy_n(plaintext.polynomial().part(i).begin(), part.size(), part.begin());
    context_->tables(i).inverse(part);
  }
  return decode(std::span<const Int128>(centred_integers(*context_, residues, plaintext.level())), slots,
                plaintext.scale());
}

rlwe::AddCoefficients add_coefficients(const rlwe::Context& context, std::span<const Int128> integers) {
  return [&context, integers](std::size_t i, std::span<std::uint64_t> values) {
    const ring::Modulus& q = context.modulus(i);
    // A multiple of the prime that lifts every coefficient above zero.
    const Uint128 lift = (((Uint128{1} << kMaxCoefficientBits) / q.value()) + 1) * q.value();
    for (std::size_t j = 0; j < values.size(); ++j) {
      values[j] = q.add(values[j], q.reduce(static_cast<Uint128>(integers[j]) + lift));
    }
  };
}

Integers centred_integers(const rlwe::Context& context, std::span<const std::uint64_t> residues,
                          std::size_t level) {
  const std::size_t n = context.n();
  AP_ASSERT(level >= 1 && residues.size() == level * n);
  std::vector<std::uint64_t> primes;
  int bits = 0;
  for (std::size_t i = 0; i < level; ++i) {
    bits += context.modulus(i).bits();
    if (bits > kComposedBits) break;
    primes.push_back(context.modulus(i).value());
  }
  const ring::Crt crt(primes);
  const Uint128 half = crt.product() >> 1;
  Integers integers(n);
  for (std::size_t j = 0; j < n; ++j) {
    const Uint128 x = crt.compose(residues.data() + j, n);
    const Uint128 above = static_cast<Uint128>(0) - ((half - x) >> 127);  // all ones if x > half
    integers[j] = static_cast<Int128>(x - (crt.product() & above));
  }
  return integers;
}

}  // namespace ap::ckks

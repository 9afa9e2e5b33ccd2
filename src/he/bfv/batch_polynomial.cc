#include "he/bfv/batch_polynomial.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "he/bfv/small.h"

namespace ap::bfv {

void small_to_ntt(const BatchContext& context, std::span<const std::int8_t> small, std::size_t prime,
                  std::span<std::uint64_t> out) {
  const std::uint64_t q = context.modulus(prime).value();
  for (std::size_t j = 0; j < out.size(); ++j) out[j] = small_residue(small[j], q);
  context.tables(prime).forward(out);
}

void subtract_product(const BatchContext& context, std::size_t prime, const std::uint64_t* x,
                      const std::uint64_t* y, std::span<std::uint64_t> sum) {
  SecretVector<std::uint64_t> product(context.n());
  const std::uint64_t* const left[] = {x};
  const std::uint64_t* const right[] = {y};
  context.tables(prime).multiply_add(left, right, product);
  ring::elementwise().subtract(sum.data(), product.data(), context.modulus(prime).value(), sum.data(),
                               context.n());
}

void scale_up_remainder(const BatchContext& context, const BatchLevel& level,
                        std::span<const std::uint64_t> coefficients, std::span<std::uint64_t> remainder) {
  const ring::Modulus& p = context.p();
  const std::uint64_t half = p.value() / 2, q = level.scale_up.q, q_shoup = level.scale_up.q_shoup;
  for (std::size_t j = 0; j < remainder.size(); ++j) {
    remainder[j] = p.add(p.mul_shoup(coefficients[j], q, q_shoup), half);
  }
}

void add_scaled(const BatchContext& context, const BatchLevel& level, std::size_t prime,
                std::span<const std::uint64_t> remainder, std::span<std::uint64_t> values) {
  const ring::Modulus& q = context.modulus(prime);
  const std::uint64_t offset = level.scale_up.offset[prime];
  for (std::uint64_t& value : values) value = q.add(value, offset);
  // The vector kernel takes factors below 2^52.
  const ring::ElementwiseKernels& kernels =
      context.p().bits() <= 52 ? ring::elementwise() : ring::plain_elementwise();
  kernels.multiply_add(remainder.data(), level.scale_up.minus_inverse[prime], values.data(), q, values.data(),
                       values.size());
}

std::vector<const std::uint64_t*> parts(const BatchContext& context,
                                        std::span<const std::uint64_t> polynomial, std::size_t first,
                                        std::size_t count) {
  std::vector<const std::uint64_t*> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = context.part(polynomial, first + i).data();
  return result;
}

std::size_t packed_residue_bytes(const BatchContext& context, std::size_t first, std::size_t count) {
  std::size_t bytes = 0;
  for (std::size_t i = first; i < first + count; ++i) {
    bytes += packed_bytes(context.n(), context.modulus(i).bits());
  }
  return bytes;
}

void pack_part(const ring::Modulus& q, std::span<const std::uint64_t> values, std::span<std::uint8_t>& out) {
  const std::size_t bytes = packed_bytes(values.size(), q.bits());
  pack_bits(values, q.bits(), out.first(bytes));
  out = out.subspan(bytes);
}

void unpack_part(const ring::Modulus& q, std::string_view what, std::span<std::uint64_t> values,
                 ByteView& in) {
  const std::size_t bytes = packed_bytes(values.size(), q.bits());
  unpack_bits(in.first(bytes), q.bits(), values);
  in = in.subspan(bytes);
  std::uint64_t largest = 0;
  for (const std::uint64_t value : values) largest = std::max(largest, value);
  if (largest >= q.value()) {
    fail_peer("the {} holds the residue {} although its prime is {}: the bytes are damaged or forged", what,
              largest, q.value());
  }
}

void expand_seed(const BatchContext& context, const Seed& seed, std::uint64_t stream, std::size_t count,
                 std::span<std::uint64_t> out) {
  for (std::size_t i = 0; i < count; ++i) {
    Prng prng(seed, stream + i);
    sample_uniform(prng, context.modulus(i).value(), context.part(out, i));
  }
}

}  // namespace ap::bfv

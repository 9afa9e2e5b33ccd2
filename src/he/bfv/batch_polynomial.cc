#include "he/bfv/batch_polynomial.h"

namespace ap::bfv {

void scale_up_remainder(const BatchContext& context, const PlainLevel& level,
                        std::span<const std::uint64_t> coefficients, std::span<std::uint64_t> remainder) {
  const ring::Modulus& p = context.p();
  const std::uint64_t half = p.value() / 2, q = level.scale_up.q, q_shoup = level.scale_up.q_shoup;
  for (std::size_t j = 0; j < remainder.size(); ++j) {
    remainder[j] = p.add(p.mul_shoup(coefficients[j], q, q_shoup), half);
  }
}

void add_scaled(const BatchContext& context, const PlainLevel& level, std::size_t prime,
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

}  // namespace ap::bfv

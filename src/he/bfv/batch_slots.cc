// From slots to coefficients and back, and what moves them (he/bfv/batch_scheme.h).
#include "base/error.h"
#include "he/bfv/batch_scheme.h"

namespace ap::bfv {

void encode_slots(const BatchContext& context, std::span<const std::uint64_t> slots,
                  std::span<std::uint64_t> coefficients) {
  const std::size_t n = context.n();
  AP_ASSERT(slots.size() == n && coefficients.size() == n);
  const std::span<const std::uint32_t> index = context.slot_index();
  const std::vector<ring::NttTables>& tables = context.plain_tables();
  if (tables.size() == 1) {
    for (std::size_t i = 0; i < n; ++i) coefficients[index[i]] = slots[i];
    tables[0].inverse(coefficients);
    return;
  }
  // Slot and coefficient alike are the residues modulo the primes of p put together.
  const ring::Modulus& p = context.p();
  SecretVector<std::uint64_t> part(n);
  for (std::size_t k = 0; k < tables.size(); ++k) {
    for (std::size_t i = 0; i < n; ++i) part[index[i]] = tables[k].modulus().reduce(slots[i]);
    tables[k].inverse(part);
    const std::uint64_t lift = context.plain_lift()[k], lift_shoup = context.plain_lift_shoup()[k];
    for (std::size_t i = 0; i < n; ++i) {
      coefficients[i] = p.add(k == 0 ? 0 : coefficients[i], p.mul_shoup(part[i], lift, lift_shoup));
    }
  }
}

void decode_slots(const BatchContext& context, std::span<const std::uint64_t> coefficients,
                  std::span<std::uint64_t> slots) {
  const std::size_t n = context.n();
  AP_ASSERT(slots.size() == n && coefficients.size() == n);
  const std::span<const std::uint32_t> index = context.slot_index();
  const std::vector<ring::NttTables>& tables = context.plain_tables();
  const ring::Modulus& p = context.p();
  SecretVector<std::uint64_t> part(n);
  for (std::size_t k = 0; k < tables.size(); ++k) {
    for (std::size_t i = 0; i < n; ++i) part[i] = tables[k].modulus().reduce(coefficients[i]);
    tables[k].forward(part);
    const std::uint64_t lift = context.plain_lift()[k], lift_shoup = context.plain_lift_shoup()[k];
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t value = p.mul_shoup(part[index[i]], lift, lift_shoup);
      slots[i] = k == 0 ? value : p.add(slots[i], value);
    }
  }
}

std::uint32_t rotation_element(const rlwe::Context& context, int step) {
  const auto columns = static_cast<int>(context.n() / 2);
  const int left = ((step % columns) + columns) % columns;
  return ring::element_power(kRotation, static_cast<std::uint64_t>(left), context.n());
}

std::uint32_t swap_element(const rlwe::Context& context) {
  return static_cast<std::uint32_t>(2 * context.n() - 1);
}

rlwe::Ciphertext rotate_rows(const rlwe::Ciphertext& x, int step, const rlwe::GaloisKeys& keys) {
  return rlwe::apply_automorphism(x, rotation_element(*x.context(), step), keys);
}

rlwe::Ciphertext swap_rows(const rlwe::Ciphertext& x, const rlwe::GaloisKeys& keys) {
  return rlwe::apply_automorphism(x, swap_element(*x.context()), keys);
}

}  // namespace ap::bfv

#include "layers/activation/activation_spec.h"

#include <bit>

#include "base/declassify.h"
#include "base/error.h"
#include "layers/activation/argmax_spec.h"

namespace ap::activation {
namespace {

void check_range(const char* field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value < low || value > high) {
    fail_input("activation layer: {} is {}, allowed are {} to {}", field, static_cast<std::int64_t>(value),
               low, high);
  }
}

/// Exactness needs an odd modulus of the field's width, not that it is prime.
void check_prime(const char* field, const char* width_field, std::uint64_t prime, int width) {
  if (prime == 0) return;
  check_range(field, prime, kMinActivationPrime, kMaxActivationPrime);
  if (prime % 2 == 0) fail_input("activation layer: {} is {}, which is even", field, prime);
  if (width != static_cast<int>(std::bit_width(prime))) {
    fail_input("activation layer: {} must be {}, the width of {} {}, but is {}", width_field,
               std::bit_width(prime), field, prime, width);
  }
}

}  // namespace

void ActivationSpec::validate() const {
  // Negative widths become huge and fail the same comparison.
  const auto wide = [](int bits) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(bits)); };
  check_range("inputs", inputs, 1, kMaxActivationInputs);
  check_range("outputs", outputs, 1, kMaxActivationInputs);
  check_range("sum_bits", wide(sum_bits), 2, 40);
  check_range("guard_bits", wide(guard_bits), 0, in_prime != 0 ? 24 : 16);
  check_range("clamp_bits", wide(clamp_bits), 1, 16);
  check_range("out_bits", wide(out_bits), wide(clamp_bits) + (out_prime != 0), 40);
  check_prime("in_prime", "sum_bits + guard_bits", in_prime, share_bits());
  check_prime("out_prime", "out_bits", out_prime, out_bits);
  check_range("pool_size", pool_size, 1, kMaxPoolSize);
  if (square) {
    square->validate();
    check_range("pool_size after a quadratic", pool_size, 1, 1);
    check_range("value_bits without dropped_bits", wide(square->value_bits - square->dropped_bits),
                wide(share_bits()), wide(share_bits()));
  }
  if (product) {
    product->validate(inputs);
    check_range("pool_size after a product", pool_size, 1, 1);
    check_range("quadratics beside a product", square.has_value(), 0, 0);
    check_range("in_prime of a product", in_prime, 0, 0);
    check_range("out_prime of a product", out_prime, 0, 0);
    check_range("argmax of a product", argmax, 0, 0);
    check_range("value_bits without dropped_bits", wide(product->value_bits - product->dropped_bits),
                wide(share_bits()), wide(share_bits()));
  }
  if (table) {
    table->validate(clamp_bits);
    check_range("pool_size before a table", pool_size, 1, 1);
    check_range("quadratics before a table", square.has_value(), 0, 0);
    check_range("in_prime of a table", in_prime, 0, 0);
    check_range("out_prime of a table", out_prime, 0, 0);
    check_range("argmax of a table", argmax, 0, 0);
  }
  if (argmax) {
    check_range("inputs of an argmax", inputs, 2, kMaxArgmaxInputs);
    const auto index_bits = static_cast<std::uint64_t>(argmax_index_bits(inputs));
    check_range("outputs of an argmax", outputs, 1, 1);
    check_range("out_bits of an argmax", wide(out_bits), index_bits, index_bits);
    check_range("clamp_bits of an argmax", wide(clamp_bits), index_bits, index_bits);
    check_range("guard_bits of an argmax", wide(guard_bits), 0, 0);
    check_range("pool_size of an argmax", pool_size, 1, 1);
    check_range("window indices of an argmax", windows.size(), 0, 0);
    check_range("quadratics before an argmax", square.has_value(), 0, 0);
    check_range("out_prime of an argmax", out_prime, 0, 0);
    return;
  }
  if (!pooled()) {
    check_range("outputs without pooling", outputs, inputs, inputs);
    check_range("window indices without pooling", windows.size(), 0, 0);
    return;
  }
  check_range("window indices", windows.size(), outputs * pool_size, outputs * pool_size);
  for (const std::uint32_t index : windows) check_range("a window index", index, 0, inputs - 1);
}

void check_words(const char* name, std::span<const std::uint64_t> words, std::size_t count, int bits,
                 std::uint64_t prime) {
  if (words.size() != count) {
    fail_input("activation layer: {} has {} values, the layer needs {}", name, words.size(), count);
  }
  std::uint64_t seen = 0;
  for (const std::uint64_t word : words) seen |= word;
  seen >>= bits;
  declassify(seen);  // zero, unless our own code is wrong
  if (seen != 0) fail_input("activation layer: a value of {} has more than {} bits", name, bits);
  if (prime == 0) return;
  std::uint64_t borrows = 0;
  for (const std::uint64_t word : words) borrows |= prime - 1 - word;
  borrows >>= 63;
  declassify(borrows);
  if (borrows != 0) fail_input("activation layer: a value of {} is not below the prime {}", name, prime);
}

}  // namespace ap::activation

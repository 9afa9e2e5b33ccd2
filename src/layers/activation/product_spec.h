// The product of two private numbers that may stand before an activation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ap::activation {

/// The parties hold shares of x, an element each, and of factors g, one for every `plane` consecutive elements:
/// words modulo 2^value_bits, all x first. Each gets a share of
///   u = constant + x g   modulo 2^value_bits
/// and drops the lowest `dropped_bits` of it.
struct ProductSpec {
  int value_bits = 0;         ///< 2..40
  int dropped_bits = 0;       ///< 0..value_bits - 2
  std::int64_t constant = 0;  ///< modulo 2^value_bits
  std::size_t plane = 1;      ///< divides the number of elements

  std::size_t arguments(std::size_t count) const { return count + count / plane; }
  /// @throws Error(input) naming the field that is out of range.
  void validate(std::size_t count) const;

  friend bool operator==(const ProductSpec&, const ProductSpec&) = default;
};

/// What the product adds to a layer of `count` elements.
struct ProductCost {
  std::uint64_t cots = 0;           ///< silent OTs, the client as sender
  std::uint64_t offline_bytes = 0;  ///< payload, client to server
  std::uint64_t online_bytes = 0;   ///< payload, server to client
};
ProductCost product_cost(const ProductSpec& spec, std::size_t count);

}  // namespace ap::activation

// The server's online part of a linear layer: an exact convolution of its share, modulo 2^32 or 2^64. Images
// become columns panel by panel (im2col) and are multiplied by the packed weights in registers; depthwise
// layers are summed directly; fully connected layers are dot products.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "layers/linear/geometry.h"

namespace ap::linear {

class ClearConv {
 public:
  /// weights[c_out][c_in / groups][kernel_h][kernel_w].
  /// @throws Error(input) if the geometry is invalid or the number of weights is not its own.
  ClearConv(const Geometry& geometry, std::span<const std::int16_t> weights);

  const Geometry& geometry() const { return geometry_; }
  /// Bytes that the weights of such a layer take.
  static std::size_t memory_bytes(const Geometry& geometry);

  /// y = W x mod 2^32 (flat [c][h][w] both): enough for shares modulo 2^k, k <= 32, whose high bits are
  /// ignored. Uses all cores. The time does not depend on the values.
  void apply(std::span<const std::uint32_t> x, std::span<std::uint32_t> y) const;
  /// The convolution of x modulo 2^64.
  void apply(std::span<const std::uint64_t> x, std::span<std::uint64_t> y) const;

 private:
  template <typename T>
  void run(std::span<const T> x, std::span<T> y) const;
  template <typename T>
  void run_panels(std::span<const T> x, std::span<T> y) const;
  template <typename T>
  void run_columns(std::span<const T> x, std::span<T> y) const;
  template <typename T>
  void run_depthwise(std::span<const T> x, std::span<T> y) const;
  template <typename T>
  void gather(std::span<const T> x, int group, std::int64_t k0, std::int64_t k1, std::int64_t pixel,
              std::int64_t lanes, T* column, std::int64_t k_step, std::int64_t pixel_step) const;

  Geometry geometry_;
  AlignedVector<std::int32_t> panels_;   ///< [group][m / kRows][k][kRows], zero filled; for many pixels
  AlignedVector<std::int16_t> weights_;  ///< as given; for few pixels and depthwise layers
};

}  // namespace ap::linear

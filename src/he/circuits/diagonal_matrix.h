// Square complex matrices by their generalised diagonals, as linear transforms of slots take them (Halevi and Shoup,
// 2014/106): a product with a vector is a sum of diagonals times rotations of the vector.
#pragma once

#include <complex>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

namespace ap::circuits {

using Complex = std::complex<double>;

/// Entry (i, (i + d) mod size) is row i of diagonal d; diagonals that are not held are zero. Public values.
class DiagonalMatrix {
 public:
  /// Zero. @throws Error(internal) unless `size` is a power of two.
  explicit DiagonalMatrix(std::size_t size);
  /// Of size * size entries, row after row.
  static DiagonalMatrix dense(std::size_t size, std::span<const Complex> entries);

  std::size_t size() const { return size_; }
  /// By number, 0 .. size - 1; each of `size` values, not all of them zero if they came one by one.
  const std::map<std::size_t, std::vector<Complex>>& diagonals() const { return diagonals_; }
  /// Entry (row, (row + diagonal) mod size) += value. `diagonal` counts modulo `size`; zeros add no diagonal.
  void add(std::size_t diagonal, std::size_t row, Complex value);
  /// Every row i times factors[i].
  void scale_rows(std::span<const Complex> factors);

  std::vector<Complex> operator*(std::span<const Complex> x) const;
  DiagonalMatrix operator*(const DiagonalMatrix& y) const;

 private:
  std::size_t size_;
  std::map<std::size_t, std::vector<Complex>> diagonals_;
};

}  // namespace ap::circuits

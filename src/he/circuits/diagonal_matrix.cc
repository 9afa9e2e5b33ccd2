#include "he/circuits/diagonal_matrix.h"

#include <bit>

#include "base/error.h"

namespace ap::circuits {

DiagonalMatrix::DiagonalMatrix(std::size_t size) : size_(size) { AP_ASSERT(std::has_single_bit(size)); }

DiagonalMatrix DiagonalMatrix::dense(std::size_t size, std::span<const Complex> entries) {
  DiagonalMatrix matrix(size);
  AP_ASSERT(entries.size() == size * size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) matrix.add(j + size - i, i, entries[i * size + j]);
  }
  return matrix;
}

void DiagonalMatrix::add(std::size_t diagonal, std::size_t row, Complex value) {
  AP_ASSERT(row < size_);
  if (value == Complex()) return;
  std::vector<Complex>& values = diagonals_[diagonal % size_];
  if (values.empty()) values.resize(size_);
  values[row] += value;
}

void DiagonalMatrix::scale_rows(std::span<const Complex> factors) {
  AP_ASSERT(factors.size() == size_);
  for (auto& [diagonal, values] : diagonals_) {
    for (std::size_t i = 0; i < size_; ++i) values[i] *= factors[i];
  }
}

std::vector<Complex> DiagonalMatrix::operator*(std::span<const Complex> x) const {
  AP_ASSERT(x.size() == size_);
  std::vector<Complex> y(size_);
  for (const auto& [diagonal, values] : diagonals_) {
    for (std::size_t i = 0; i < size_; ++i) y[i] += values[i] * x[(i + diagonal) % size_];
  }
  return y;
}

DiagonalMatrix DiagonalMatrix::operator*(const DiagonalMatrix& y) const {
  AP_ASSERT(y.size_ == size_);
  DiagonalMatrix product(size_);
  for (const auto& [first, left] : diagonals_) {
    for (const auto& [second, right] : y.diagonals_) {
      for (std::size_t i = 0; i < size_; ++i) {
        product.add(first + second, i, left[i] * right[(i + first) % size_]);
      }
    }
  }
  return product;
}

}  // namespace ap::circuits

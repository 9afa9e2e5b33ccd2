// A linear map between tensors as matrices between ciphertexts, one for each pair (single-shot multiplexed packing: Ebel,
// Garimella and Reagen, Orion, ASPLOS 2025). Slots repeat, so a matrix knows rows and distances only: entry (row, column) lies on
// diagonal column - row modulo the shorter period.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "he/circuits/diagonal_matrix.h"
#include "he_only/layout/layout.h"
#include "he_only/network/sparse_map.h"

namespace ap::he_only {

/// From one ciphertext to one.
struct PackedMatrix {
  circuits::DiagonalMatrix matrix;
  /// After the product, sums with rotations by each of these steps, in this order: where results lie on fewer slots than
  /// what they are computed from, each of the parts that the period is cut into holds a share of the sum.
  std::vector<std::size_t> folds;
};

/// The steps of the folds from slots of one period to results of another.
std::vector<std::size_t> fold_steps(std::size_t from_period, std::size_t to_period);

/// The different diagonals of every pair [out ciphertext][in ciphertext], ascending.
std::vector<std::vector<std::vector<std::size_t>>> diagonals_of(const SparseMap& map, const Layout& in,
                                                                const Layout& out);

/// The matrix from ciphertext `from` of the one layout to ciphertext `to` of the other, every row times `factor`; nothing if
/// all of it is zero. out.period may be smaller than in.period, or larger.
std::optional<PackedMatrix> pack(const SparseMap& map, const Layout& in, const Layout& out, std::size_t from,
                                 std::size_t to, double factor);

}  // namespace ap::he_only

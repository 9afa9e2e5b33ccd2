// A public table that may stand behind an activation's clamp: how curved activations (SiLU, GELU, sigmoids) are
// computed exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ap::activation {

/// Of the clamped value u, an unsigned number of m = clamp_bits bits, the layer gives
///   u in [0, 2^m)                  values[u >> cell_bits]
///   with `relu`: t = u - 2^(m-1)   max(t, 0) + values[cell]
///                   cell = u >> cell_bits, with `even`: (|t| mod 2^(m-1)) >> cell_bits
/// so that t = -2^(m-1), whose magnitude has a bit more, shares the cell of 0 in an even table.
struct TableSpec {
  bool relu = false;
  bool even = false;                  ///< with relu only
  int cell_bits = 0;                  ///< inputs of one cell: 2^cell_bits
  int value_bits = 0;                 ///< 1 to kMaxTableValueBits
  std::vector<std::uint16_t> values;  ///< 2^index_bits(m), each below 2^value_bits

  int index_bits(int clamp_bits) const { return clamp_bits - (even ? 1 : 0) - cell_bits; }
  /// @throws Error(input) naming the field that is out of range.
  void validate(int clamp_bits) const;

  friend bool operator==(const TableSpec&, const TableSpec&) = default;
};

inline constexpr int kMaxTableIndexBits = 8;
inline constexpr int kMaxTableValueBits = 16;

}  // namespace ap::activation

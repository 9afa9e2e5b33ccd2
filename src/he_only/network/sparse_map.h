// Linear maps between tensors as sparse matrices by rows: what the linear operations of a network are once its shapes are
// known. Rows are elements of the result, columns elements of what it is computed from, in the order of nn::Tensor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::he_only {

/// No map may have more entries: 1.5 GB of them.
inline constexpr std::size_t kMaxMapEntries = std::size_t{1} << 27;

struct SparseMap {
  std::size_t columns = 0;
  std::vector<std::size_t>
      first;  ///< where each row begins in the two lists below, and their end: rows() + 1
  std::vector<std::uint32_t> column;  ///< of each entry; of a row each at most once, ascending
  std::vector<float> weight;

  std::size_t rows() const { return first.empty() ? 0 : first.size() - 1; }
  std::size_t entries() const { return column.size(); }
};

SparseMap identity_map(std::size_t size);
/// Of a validated operation, without its bias. @throws Error(input) beyond kMaxMapEntries.
SparseMap convolution_map(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out);
SparseMap fully_connected_map(const nn::FullyConnectedOp& op, std::size_t in);
SparseMap average_pool_map(const nn::AveragePoolOp& op, const nn::Shape& in, const nn::Shape& out);
SparseMap gather_map(const nn::GatherOp& op, std::size_t in);

/// second(first(x)). @throws Error(input) beyond kMaxMapEntries.
SparseMap compose(const SparseMap& second, const SparseMap& first);
/// x + y, of equal sizes.
SparseMap sum(const SparseMap& x, const SparseMap& y);
/// The rows of y below those of x, of equal columns.
SparseMap stack(const SparseMap& x, const SparseMap& y);
/// Row i times factors[i].
void scale_rows(SparseMap& map, std::span<const float> factors);

/// out[i] += sum over row i of weight times x.
void multiply_add(const SparseMap& map, std::span<const double> x, std::span<double> out);

}  // namespace ap::he_only

#include "he_only/layout/packing.h"

#include <algorithm>

#include "base/error.h"

namespace ap::he_only {
namespace {

// Calls visit(out ciphertext, row, in ciphertext, column, weight), row and column below their layouts' periods.
template <typename Visit>
void for_each_entry(const SparseMap& map, const Layout& in, const Layout& out, Visit visit) {
  AP_ASSERT(map.columns == static_cast<std::size_t>(in.shape.size()) &&
            map.rows() == static_cast<std::size_t>(out.shape.size()));
  std::vector<std::size_t> slots(map.columns);
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = in.slot(i);
  for (std::size_t r = 0; r < map.rows(); ++r) {
    const std::size_t to = out.slot(r);
    for (std::size_t e = map.first[r]; e < map.first[r + 1]; ++e) {
      const std::size_t from = slots[map.column[e]];
      visit(to / out.period, to % out.period, from / in.period, from % in.period, map.weight[e]);
    }
  }
}

// The diagonal of a matrix of `size`, among those that are alike modulo `period` the one nearest to the main diagonal: bands of
// neighbours stay together, which takes fewer steps.
std::size_t diagonal(std::size_t row, std::size_t column, std::size_t period, std::size_t size) {
  const std::size_t d = (column % period + period - row % period) % period;
  return 2 * d > period ? d + size - period : d;
}

}  // namespace

std::vector<std::size_t> fold_steps(std::size_t from_period, std::size_t to_period) {
  std::vector<std::size_t> steps;
  for (std::size_t step = to_period; step < from_period; step *= 2) steps.push_back(step);
  return steps;
}

std::vector<std::vector<std::vector<std::size_t>>> diagonals_of(const SparseMap& map, const Layout& in,
                                                                const Layout& out) {
  const std::size_t size = std::max(in.period, out.period), period = std::min(in.period, out.period);
  std::vector<std::vector<std::vector<bool>>> seen(
      out.ciphertexts, std::vector<std::vector<bool>>(in.ciphertexts, std::vector<bool>(size)));
  for_each_entry(map, in, out,
                 [&](std::size_t to, std::size_t row, std::size_t from, std::size_t column, float weight) {
                   if (weight != 0) seen[to][from][diagonal(row, column, period, size)] = true;
                 });
  std::vector<std::vector<std::vector<std::size_t>>> result(
      out.ciphertexts, std::vector<std::vector<std::size_t>>(in.ciphertexts));
  for (std::size_t to = 0; to < out.ciphertexts; ++to) {
    for (std::size_t from = 0; from < in.ciphertexts; ++from) {
      for (std::size_t d = 0; d < size; ++d) {
        if (seen[to][from][d]) result[to][from].push_back(d);
      }
    }
  }
  return result;
}

std::optional<PackedMatrix> pack(const SparseMap& map, const Layout& in, const Layout& out, std::size_t from,
                                 std::size_t to, double factor) {
  const std::size_t size = std::max(in.period, out.period), period = std::min(in.period, out.period);
  PackedMatrix packed{circuits::DiagonalMatrix(size), fold_steps(in.period, out.period)};
  for_each_entry(
      map, in, out,
      [&](std::size_t to_here, std::size_t row, std::size_t from_here, std::size_t column, float weight) {
        if (to_here != to || from_here != from) return;
        const std::size_t d = diagonal(row, column, period, size);
        // Where results have the shorter period, the row is the copy of it that is d before the column.
        const std::size_t at = in.period > out.period ? (column + size - d) % size : row;
        packed.matrix.add(d, at, factor * double{weight});
      });
  if (packed.matrix.diagonals().empty()) return std::nullopt;
  return packed;
}

}  // namespace ap::he_only

// Where the elements of a tensor lie in slots (multiplexed order: Lee et al., ICML 2022). A strided layer leaves its results
// where they were computed, a grid with gaps, and other channels fill the gaps: with a gap g, cells of g x g neighbouring slots
// hold g^2 channels of one pixel. So a convolution, whatever its stride, has few different distances between what it reads and
// where it writes, and each distance is one diagonal of its matrix.
#pragma once

#include <cstddef>

#include "nn/ir/graph.h"

namespace ap::he_only {

struct Layout {
  nn::Shape shape;
  int grid_h = 1, grid_w = 1;  ///< slots of one plane of cells: at least gap times height and width
  int gap = 1;
  /// Slots repeat after so many: a power of two. Of several ciphertexts each is full.
  std::size_t period = 8;
  std::size_t ciphertexts = 1;

  /// Slots that are needed.
  std::size_t extent() const;
  /// Of an element: its slot, counted through all ciphertexts.
  std::size_t slot(std::size_t element) const;
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// The smallest power of two that is at least `slots` and at least 8, the least that a matrix may have.
std::size_t period_for(std::size_t slots);

/// Row after row, with nothing between; the period is the least. Of more than `most` slots several ciphertexts.
Layout dense_layout(const nn::Shape& shape, std::size_t most);
/// On the grid of `before`, with a gap that is larger as the picture is smaller: for what a layer makes of a tensor that lies
/// so. Vectors, and pictures that do not fit the grid so, lie densely.
Layout layout_after(const Layout& before, const nn::Shape& shape, std::size_t most);

}  // namespace ap::he_only

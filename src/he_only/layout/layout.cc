#include "he_only/layout/layout.h"

#include <algorithm>
#include <bit>

namespace ap::he_only {
namespace {

std::size_t wide(int x) { return static_cast<std::size_t>(x); }

void set_period(Layout& layout, std::size_t most) {
  const std::size_t extent = layout.extent();
  layout.period = std::min(period_for(extent), most);
  layout.ciphertexts = (extent + layout.period - 1) / layout.period;
}

}  // namespace

std::size_t period_for(std::size_t slots) { return std::max<std::size_t>(8, std::bit_ceil(slots)); }

std::size_t Layout::extent() const {
  const std::size_t cell = wide(gap) * wide(gap), planes = (wide(shape.c) + cell - 1) / cell;
  return planes * wide(grid_h) * wide(grid_w);
}

std::size_t Layout::slot(std::size_t element) const {
  const std::size_t w = wide(shape.w), h = wide(shape.h), g = wide(gap);
  const std::size_t x = element % w, y = element / w % h, c = element / (w * h), in_cell = c % (g * g);
  return (c / (g * g) * wide(grid_h) + y * g + in_cell / g) * wide(grid_w) + x * g + in_cell % g;
}

Layout dense_layout(const nn::Shape& shape, std::size_t most) {
  Layout layout{shape, shape.h, shape.w, 1, 8, 1};
  set_period(layout, most);
  return layout;
}

Layout layout_after(const Layout& before, const nn::Shape& shape, std::size_t most) {
  if (shape.h == 1 && shape.w == 1) return dense_layout(shape, most);
  const int gap = before.gap * std::max(1, (before.shape.h + shape.h - 1) / shape.h);
  if (gap * shape.h > before.grid_h || gap * shape.w > before.grid_w) {
    // Such as padded by the layer, or of 13 pixels on a grid of 28 whose next power is too wide.
    const int fitting = std::min(before.grid_h / shape.h, before.grid_w / shape.w);
    if (fitting < before.gap) return dense_layout(shape, most);
    Layout layout{shape, before.grid_h, before.grid_w, fitting, 8, 1};
    set_period(layout, most);
    return layout;
  }
  Layout layout{shape, before.grid_h, before.grid_w, gap, 8, 1};
  set_period(layout, most);
  return layout;
}

}  // namespace ap::he_only

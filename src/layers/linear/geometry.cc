#include "layers/linear/geometry.h"

#include "base/error.h"

namespace ap::linear {
namespace {

// Larger shapes than any network of this kind has; products of them, as packings form them, stay inside 63 bits.
constexpr int kMaxDimension = 1 << 20;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

}  // namespace

Geometry geometry_of(const nn::QLinear& layer, int c_out) {
  return {layer.in_shape, layer.window, layer.groups, c_out};
}

void check(const Geometry& g) {
  const nn::Window& w = g.window;
  const auto need = [](bool ok, const char* what, std::int64_t value) {
    if (!ok) fail_input("a linear layer has an impossible {}: {}", what, value);
  };
  const auto dimension = [&](int value, const char* what) {
    need(value >= 1 && value <= kMaxDimension, what, value);
  };
  dimension(g.in.c, "number of input channels");
  dimension(g.in.h, "input height");
  dimension(g.in.w, "input width");
  dimension(g.c_out, "number of output channels");
  dimension(g.groups, "number of groups");
  dimension(w.kernel_h, "kernel height");
  dimension(w.kernel_w, "kernel width");
  dimension(w.stride_h, "vertical stride");
  dimension(w.stride_w, "horizontal stride");
  for (const int pad : {w.pad.top, w.pad.left, w.pad.bottom, w.pad.right}) {
    need(pad >= 0 && pad <= kMaxDimension, "padding", pad);
  }
  need(g.in.c % g.groups == 0, "number of groups for its input channels", g.groups);
  need(g.c_out % g.groups == 0, "number of groups for its output channels", g.groups);
  need(g.in.h + w.pad.top + w.pad.bottom >= w.kernel_h, "kernel height for its input", w.kernel_h);
  need(g.in.w + w.pad.left + w.pad.right >= w.kernel_w, "kernel width for its input", w.kernel_w);
  const auto elements = [&](std::int64_t a, std::int64_t b, std::int64_t c, const char* what) {
    need(a * b <= kMaxElements && a * b * c <= kMaxElements, what, a * b);
  };
  elements(g.in.h + w.pad.top + w.pad.bottom, g.in.w + w.pad.left + w.pad.right, g.in.c, "input size");
  elements(g.out().h, g.out().w, g.out().c, "output size");
  elements(w.kernel_h, w.kernel_w, std::int64_t{g.in.c / g.groups}, "kernel size");
  need(g.fan_in() * g.c_out <= kMaxElements, "number of weights", g.fan_in() * g.c_out);
}

}  // namespace ap::linear

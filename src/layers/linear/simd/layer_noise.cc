#include "layers/linear/simd/layer_noise.h"

#include <algorithm>

namespace ap::linear {

bool is_matrix(const Geometry& geometry) {
  const nn::Window& w = geometry.window;
  return geometry.in.h == 1 && geometry.in.w == 1 && geometry.groups == 1 && w.kernel_h == 1 &&
         w.kernel_w == 1 && w.pad.top == 0 && w.pad.left == 0 && w.pad.bottom == 0 && w.pad.right == 0;
}

SimdLayer simd_layer(const Geometry& geometry, SimdConvMethod conv_method, SimdFcMethod fc_method,
                     std::uint32_t n) {
  SimdLayer layer;
  if (is_matrix(geometry)) {
    const SimdFc fc(geometry.in.c, geometry.c_out, fc_method, n);
    layer.counts = fc.counts();
    layer.terms = {fc.terms()};
    return layer;
  }
  const SimdConv conv(geometry, conv_method, n);
  layer.counts = conv.counts();
  for (std::size_t reply = 0; reply < conv.replies(); ++reply) {
    const SimdTerms terms = conv.terms(reply);
    if (std::ranges::find(layer.terms, terms) == layer.terms.end()) layer.terms.push_back(terms);
  }
  return layer;
}

noise::SimdNoise worst_noise(const SimdLayer& layer, const bfv::BatchParameters& parameters) {
  noise::SimdNoise worst;
  for (const SimdTerms& terms : layer.terms) {
    noise::SimdNoise noise = noise::simd_noise(terms, parameters);
    if (worst.empty() || noise.back().variance > worst.back().variance) worst = std::move(noise);
  }
  return worst;
}

}  // namespace ap::linear

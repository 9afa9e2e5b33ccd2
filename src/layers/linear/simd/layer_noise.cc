#include "layers/linear/simd/layer_noise.h"

#include <algorithm>

namespace ap::linear {

bool is_matrix(const Geometry& geometry) {
  const nn::Window& w = geometry.window;
  return geometry.in.h == 1 && geometry.in.w == 1 && geometry.groups == 1 && w.kernel_h == 1 &&
         w.kernel_w == 1 && w.pad.top == 0 && w.pad.left == 0 && w.pad.bottom == 0 && w.pad.right == 0;
}

BatchedLayer batched_layer(const Geometry& geometry, BatchedConvMethod conv_method, BatchedFcMethod fc_method,
                           std::uint32_t n) {
  BatchedLayer layer;
  if (is_matrix(geometry)) {
    const BatchedFc fc(geometry.in.c, geometry.c_out, fc_method, n);
    layer.counts = fc.counts();
    layer.terms = {fc.terms()};
    return layer;
  }
  const BatchedConv conv(geometry, conv_method, n);
  layer.counts = conv.counts();
  for (std::size_t reply = 0; reply < conv.replies(); ++reply) {
    const BatchedTerms terms = conv.terms(reply);
    if (std::ranges::find(layer.terms, terms) == layer.terms.end()) layer.terms.push_back(terms);
  }
  return layer;
}

noise::BatchedNoise worst_noise(const BatchedLayer& layer, const bfv::BatchParameters& parameters) {
  noise::BatchedNoise worst;
  for (const BatchedTerms& terms : layer.terms) {
    noise::BatchedNoise noise = noise::batched_noise(terms, parameters);
    if (worst.empty() || noise.back().variance > worst.back().variance) worst = std::move(noise);
  }
  return worst;
}

}  // namespace ap::linear

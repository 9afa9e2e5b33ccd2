// What values the tensors of a polynomial network take on calibration images.
#pragma once

#include <optional>
#include <vector>

#include "base/progress.h"
#include "he_only/run/clear.h"
#include "nn/data/dataset.h"

namespace ap::app::he {

struct Ranges {
  std::vector<double> low, high, mean_square;  ///< by step, over all images
  std::vector<int> labels;                     ///< best class of each image
};

/// Runs every image with these polynomials (activations without one are exact).
Ranges observe(const he_only::Structure& structure, const he_only::ClearNetwork& clear,
               const nn::Dataset& images, const nn::Normalization& normalization,
               const std::vector<std::optional<he_only::Polynomial>>& polynomials,
               const ProgressSink& progress, const char* title);

}  // namespace ap::app::he

// Noise measured on real ciphertexts, against its model, as plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ap::analysis {

/// Errors of one layer's real ciphertexts, in accumulator LSBs, against the model.
struct NoiseLayer {
  std::string name;
  double n = 0, log2_q = 0, log2_p = 0;
  std::uint64_t samples = 0;
  double measured_std = 0, predicted_std = 0;  ///< root mean square over all outputs
  double bin_width = 0;                        ///< bins lie side by side and symmetrically about 0
  std::vector<double> measured;                ///< fraction of all samples in each bin
  std::vector<double> predicted;               ///< the same by the model: Gaussians of each reply's error_std
  double outside = 0;                          ///< fraction beyond the outer bins
};

struct NoiseCheck {
  std::string network, policy, source, machine;
  std::vector<NoiseLayer> layers;
  std::string remark;  ///< a sentence on what was not measured, or empty
};

}  // namespace ap::analysis

// Measures the noise of a plan's layers on real ciphertexts of the real kernels, against the model.
#pragma once

#include "analysis/measurement/noise_check.h"
#include "package/package.h"

namespace ap::analysis {

struct NoiseOptions {
  int layers = 4;                ///< at most so many, spread over the network
  std::size_t samples = 20'000;  ///< at least, of each layer
  double seconds = 4;            ///< after which no further run of a layer begins
};

/// Encrypts random inputs under fresh keys, evaluates layers packed by coefficients in the packing, ring and
/// reply format of the plan, and compares p e / q with Gaussians of the predicted error_std of each reply. The
/// package must hold weights (server.apm).
NoiseCheck measure_noise(const package::Package& package, const std::string& source,
                         const std::string& network, const NoiseOptions& options = {});

}  // namespace ap::analysis
